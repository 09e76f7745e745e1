module {
  aie.device(npu1_1col) {
    func.func private @normalise(memref<256xf32>, memref<256xf32>) attributes {link_with = "normalise.o"}
    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, 2)
    aie.objectfifo @x(%shim, {%tile}, 2 : i32) : !aie.objectfifo<memref<256xf32>>
    aie.objectfifo @y(%tile, {%shim}, 2 : i32) : !aie.objectfifo<memref<256xf32>>
    %core = aie.core(%tile) {
      %first = arith.constant 0 : index
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      scf.for %run = %first to %forever step %one {
        %in = aie.objectfifo.acquire @x(Consume, 1) : !aie.objectfifosubview<memref<256xf32>>
        %x = aie.objectfifo.subview.access %in[0] : !aie.objectfifosubview<memref<256xf32>> -> memref<256xf32>
        %to = aie.objectfifo.acquire @y(Produce, 1) : !aie.objectfifosubview<memref<256xf32>>
        %y = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<256xf32>> -> memref<256xf32>
        func.call @normalise(%x, %y) : (memref<256xf32>, memref<256xf32>) -> ()
        aie.objectfifo.release @x(Consume, 1)
        aie.objectfifo.release @y(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32}
    aie.runtime_sequence @sequence(%x : memref<256xf32>, %y : memref<256xf32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @x, id = 0 : i64} : memref<256xf32>
      aiex.npu.dma_memcpy_nd(%y[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @y, id = 1 : i64} : memref<256xf32>
      aiex.npu.dma_wait {symbol = @y}
    }
  }
}
