module {
  aie.device(npu1_1col) {
    func.func private @activate(memref<256xi8>, memref<256xi8>) attributes {link_with = "gelu.o"}
    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, 2)
    aie.objectfifo @x(%shim, {%tile}, 2 : i32) : !aie.objectfifo<memref<256xi8>>
    aie.objectfifo @y(%tile, {%shim}, 2 : i32) : !aie.objectfifo<memref<256xi8>>
    %core = aie.core(%tile) {
      %first = arith.constant 0 : index
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      scf.for %run = %first to %forever step %one {
        %in = aie.objectfifo.acquire @x(Consume, 1) : !aie.objectfifosubview<memref<256xi8>>
        %x = aie.objectfifo.subview.access %in[0] : !aie.objectfifosubview<memref<256xi8>> -> memref<256xi8>
        %to = aie.objectfifo.acquire @y(Produce, 1) : !aie.objectfifosubview<memref<256xi8>>
        %y = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<256xi8>> -> memref<256xi8>
        func.call @activate(%x, %y) : (memref<256xi8>, memref<256xi8>) -> ()
        aie.objectfifo.release @x(Consume, 1)
        aie.objectfifo.release @y(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32}
    aie.runtime_sequence @sequence(%x : memref<256xi8>, %y : memref<256xi8>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @x, id = 0 : i64} : memref<256xi8>
      aiex.npu.dma_memcpy_nd(%y[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @y, id = 1 : i64} : memref<256xi8>
      aiex.npu.dma_wait {symbol = @y}
    }
  }
}
