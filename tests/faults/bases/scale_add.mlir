module {
  aie.device(npu1_1col) {
    func.func private @scale_add(memref<64xi16>, memref<64xi16>, memref<64xi16>, i32) attributes {link_with = "scale_add.o"}
    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, 2)
    aie.objectfifo @x(%shim, {%tile}, 2 : i32) : !aie.objectfifo<memref<64xi16>>
    aie.objectfifo @z(%shim, {%tile}, 2 : i32) : !aie.objectfifo<memref<64xi16>>
    aie.objectfifo @y(%tile, {%shim}, 2 : i32) : !aie.objectfifo<memref<64xi16>>
    %core = aie.core(%tile) {
      %first = arith.constant 0 : index
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      %factor = arith.constant 3 : i32
      scf.for %run = %first to %forever step %one {
        %in_x = aie.objectfifo.acquire @x(Consume, 1) : !aie.objectfifosubview<memref<64xi16>>
        %x = aie.objectfifo.subview.access %in_x[0] : !aie.objectfifosubview<memref<64xi16>> -> memref<64xi16>
        %in_z = aie.objectfifo.acquire @z(Consume, 1) : !aie.objectfifosubview<memref<64xi16>>
        %z = aie.objectfifo.subview.access %in_z[0] : !aie.objectfifosubview<memref<64xi16>> -> memref<64xi16>
        %to = aie.objectfifo.acquire @y(Produce, 1) : !aie.objectfifosubview<memref<64xi16>>
        %y = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<64xi16>> -> memref<64xi16>
        func.call @scale_add(%x, %z, %y, %factor) : (memref<64xi16>, memref<64xi16>, memref<64xi16>, i32) -> ()
        aie.objectfifo.release @x(Consume, 1)
        aie.objectfifo.release @z(Consume, 1)
        aie.objectfifo.release @y(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32}
    aie.runtime_sequence @sequence(%x : memref<256xi16>, %z : memref<256xi16>, %y : memref<256xi16>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @x, id = 0 : i64} : memref<256xi16>
      aiex.npu.dma_memcpy_nd(%z[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @z, id = 1 : i64} : memref<256xi16>
      aiex.npu.dma_memcpy_nd(%y[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @y, id = 2 : i64} : memref<256xi16>
      aiex.npu.dma_wait {symbol = @y}
    }
  }
}
