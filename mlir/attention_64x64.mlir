// One 64x64 tile of int8 attention on core (0,2): Q, K and V in as one object, the output back.
module {
  aie.device(npu1_1col) {
    func.func private @attention_64x64(memref<12288xi8>, memref<4096xi8>, i32) attributes {link_with = "attention.o"}

    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, 2)

    // Two objects each, so that a transfer can fill or empty one while the core works on the other.
    aie.objectfifo @of_QKV(%shim, {%tile}, 2 : i32) : !aie.objectfifo<memref<12288xi8>>
    aie.objectfifo @of_out(%tile, {%shim}, 2 : i32) : !aie.objectfifo<memref<4096xi8>>

    %core = aie.core(%tile) {
      %first = arith.constant 0 : index
      // Without end: a core that has left its loop answers no further run.
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      // Scores are divided by sqrt(64) = 2^3.
      %scale_shift = arith.constant 3 : i32

      scf.for %run = %first to %forever step %one {
        %in = aie.objectfifo.acquire @of_QKV(Consume, 1) : !aie.objectfifosubview<memref<12288xi8>>
        %qkv = aie.objectfifo.subview.access %in[0] : !aie.objectfifosubview<memref<12288xi8>> -> memref<12288xi8>
        %to = aie.objectfifo.acquire @of_out(Produce, 1) : !aie.objectfifosubview<memref<4096xi8>>
        %out = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<4096xi8>> -> memref<4096xi8>

        func.call @attention_64x64(%qkv, %out, %scale_shift) : (memref<12288xi8>, memref<4096xi8>, i32) -> ()

        aie.objectfifo.release @of_QKV(Consume, 1)
        aie.objectfifo.release @of_out(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32} // attention.c: 256 bytes of arrays, the rest for frames and spills.

    // Offsets, sizes and strides are in elements, outermost first.
    aie.runtime_sequence @sequence(%qkv : memref<12288xi8>, %out : memref<4096xi8>) {
      aiex.npu.dma_memcpy_nd(%qkv[0, 0, 0, 0][1, 1, 1, 12288][0, 0, 0, 1]) {metadata = @of_QKV, id = 0 : i64} : memref<12288xi8>
      aiex.npu.dma_memcpy_nd(%out[0, 0, 0, 0][1, 1, 1, 4096][0, 0, 0, 1]) {metadata = @of_out, id = 1 : i64} : memref<4096xi8>
      aiex.npu.dma_wait {symbol = @of_out}
    }
  }
}
