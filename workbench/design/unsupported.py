"""Operations that designs contain and the model device refuses, each with what it is."""

from __future__ import annotations

_LOCKS = "explicit locks"
_BDS = "explicit buffer descriptors and DMA programs"
_FLOWS = "explicit flows and switch settings"
_PACKETS = "packet flows"
_CASCADE = "the cascade stream"
_TRACE = "tracing"
_CONTROL = "control packets and register writes"
_PLACER = "unplaced tiles"
_RECONFIGURE = "run-time reconfiguration"
_STREAM = "core streams"
_LOOPS = "affine loops"
_EXTERNAL = "external buffers of the shim"

UNSUPPORTED: dict[str, str] = {
    "aie.lock": _LOCKS,
    "aie.use_lock": _LOCKS,
    "aiex.set_lock": _LOCKS,
    "aie.mem": _BDS,
    "aie.memtile_dma": _BDS,
    "aie.shim_dma": _BDS,
    "aie.dma": _BDS,
    "aie.dma_start": _BDS,
    "aie.bd_chain": _BDS,
    "aiex.dma_start_bd_chain": _BDS,
    "aiex.dma_start_bd_chain_for": _BDS,
    "aiex.dma_configure_task": _BDS,
    "aie.flow": _FLOWS,
    "aie.switchbox": _FLOWS,
    "aie.shim_mux": _FLOWS,
    "aie.shim_switchbox": _FLOWS,
    "aie.wire": _FLOWS,
    "aie.connect": _FLOWS,
    "aie.plio": _FLOWS,
    "aie.packet_flow": _PACKETS,
    "aie.packet_source": _PACKETS,
    "aie.packet_dest": _PACKETS,
    "aie.packet_rules": _PACKETS,
    "aie.packet_rule": _PACKETS,
    "aie.masterset": _PACKETS,
    "aie.amsel": _PACKETS,
    "aie.dma_bd_packet": _PACKETS,
    "aie.cascade_flow": _CASCADE,
    "aie.configure_cascade": _CASCADE,
    "aie.get_cascade": _CASCADE,
    "aie.put_cascade": _CASCADE,
    "aie.get_stream": _STREAM,
    "aie.put_stream": _STREAM,
    "aie.trace": _TRACE,
    "aie.trace.config": _TRACE,
    "aie.event": _TRACE,
    "aiex.configure_trace": _TRACE,
    "aie.logical_tile": _PLACER,
    "aie.coreTile": _PLACER,
    "aie.external_buffer": _EXTERNAL,
    "aie.objectfifo.register_external_buffers": _EXTERNAL,
    "aie.objectfifo.allocate": "a FIFO's memory on a third tile",
    "aie.objectfifo.register_process": "generated processes",
    "aiex.npu.write32": _CONTROL,
    "aiex.npu.maskwrite32": _CONTROL,
    "aiex.npu.blockwrite": _CONTROL,
    "aiex.npu.writebd": _CONTROL,
    "aiex.npu.push_queue": _CONTROL,
    "aiex.npu.address_patch": _CONTROL,
    "aiex.npu.write_rtp": _CONTROL,
    "aiex.npu.control_packet": _CONTROL,
    "aiex.control_packet": _CONTROL,
    "aiex.configure": _RECONFIGURE,
    "aiex.run": _RECONFIGURE,
    "aiex.npu.preempt": "preemption",
    "aiex.arg_slice": "slices of arguments",
    "affine.for": _LOOPS,
    "affine.load": _LOOPS,
    "affine.store": _LOOPS,
    "affine.yield": _LOOPS,
    "affine.apply": _LOOPS,
    "memref.get_global": "global constants",
    "memref.alloc": "the heap",
    "memref.alloca": "allocas of the core program",
    "memref.dealloc": "the heap",
}
