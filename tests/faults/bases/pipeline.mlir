module {
  aie.device(npu1_1col) {
    func.func private @twice(memref<64xi16>, memref<64xi16>) attributes {link_with = "pipeline.o"}
    func.func private @rectify(memref<64xi16>, memref<64xi16>) attributes {link_with = "pipeline.o"}
    %shim = aie.tile(0, 0)
    %first_tile = aie.tile(0, 2)
    %second_tile = aie.tile(0, 3)
    aie.objectfifo @x(%shim, {%first_tile}, 2 : i32) : !aie.objectfifo<memref<64xi16>>
    aie.objectfifo @doubled(%first_tile, {%second_tile}, 2 : i32) : !aie.objectfifo<memref<64xi16>>
    aie.objectfifo @y(%second_tile, {%shim}, 2 : i32) : !aie.objectfifo<memref<64xi16>>
    %doubling = aie.core(%first_tile) {
      %first = arith.constant 0 : index
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      scf.for %run = %first to %forever step %one {
        %in = aie.objectfifo.acquire @x(Consume, 1) : !aie.objectfifosubview<memref<64xi16>>
        %x = aie.objectfifo.subview.access %in[0] : !aie.objectfifosubview<memref<64xi16>> -> memref<64xi16>
        %to = aie.objectfifo.acquire @doubled(Produce, 1) : !aie.objectfifosubview<memref<64xi16>>
        %doubled = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<64xi16>> -> memref<64xi16>
        func.call @twice(%x, %doubled) : (memref<64xi16>, memref<64xi16>) -> ()
        aie.objectfifo.release @x(Consume, 1)
        aie.objectfifo.release @doubled(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32}
    %rectifying = aie.core(%second_tile) {
      %first = arith.constant 0 : index
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      scf.for %run = %first to %forever step %one {
        %from = aie.objectfifo.acquire @doubled(Consume, 1) : !aie.objectfifosubview<memref<64xi16>>
        %doubled = aie.objectfifo.subview.access %from[0] : !aie.objectfifosubview<memref<64xi16>> -> memref<64xi16>
        %to = aie.objectfifo.acquire @y(Produce, 1) : !aie.objectfifosubview<memref<64xi16>>
        %y = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<64xi16>> -> memref<64xi16>
        func.call @rectify(%doubled, %y) : (memref<64xi16>, memref<64xi16>) -> ()
        aie.objectfifo.release @doubled(Consume, 1)
        aie.objectfifo.release @y(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32}
    aie.runtime_sequence @sequence(%x : memref<256xi16>, %y : memref<256xi16>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @x, id = 0 : i64} : memref<256xi16>
      aiex.npu.dma_memcpy_nd(%y[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @y, id = 1 : i64} : memref<256xi16>
      aiex.npu.dma_wait {symbol = @y}
    }
  }
}
