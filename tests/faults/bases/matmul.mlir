module {
  aie.device(npu1_1col) {
    func.func private @matmul(memref<256xi8>, memref<256xi8>, memref<256xi8>, i32) attributes {link_with = "matmul.o"}
    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, 2)
    aie.objectfifo @a(%shim, {%tile}, 2 : i32) : !aie.objectfifo<memref<256xi8>>
    aie.objectfifo @b(%shim, {%tile}, 2 : i32) : !aie.objectfifo<memref<256xi8>>
    aie.objectfifo @c(%tile, {%shim}, 2 : i32) : !aie.objectfifo<memref<256xi8>>
    %core = aie.core(%tile) {
      %first = arith.constant 0 : index
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      %factor = arith.constant 5 : i32
      scf.for %run = %first to %forever step %one {
        %in_a = aie.objectfifo.acquire @a(Consume, 1) : !aie.objectfifosubview<memref<256xi8>>
        %a = aie.objectfifo.subview.access %in_a[0] : !aie.objectfifosubview<memref<256xi8>> -> memref<256xi8>
        %in_b = aie.objectfifo.acquire @b(Consume, 1) : !aie.objectfifosubview<memref<256xi8>>
        %b = aie.objectfifo.subview.access %in_b[0] : !aie.objectfifosubview<memref<256xi8>> -> memref<256xi8>
        %to = aie.objectfifo.acquire @c(Produce, 1) : !aie.objectfifosubview<memref<256xi8>>
        %c = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<256xi8>> -> memref<256xi8>
        func.call @matmul(%a, %b, %c, %factor) : (memref<256xi8>, memref<256xi8>, memref<256xi8>, i32) -> ()
        aie.objectfifo.release @a(Consume, 1)
        aie.objectfifo.release @b(Consume, 1)
        aie.objectfifo.release @c(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32}
    aie.runtime_sequence @sequence(%a : memref<256xi8>, %b : memref<256xi8>, %c : memref<256xi8>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @a, id = 0 : i64} : memref<256xi8>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @b, id = 1 : i64} : memref<256xi8>
      aiex.npu.dma_memcpy_nd(%c[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @c, id = 2 : i64} : memref<256xi8>
      aiex.npu.dma_wait {symbol = @c}
    }
  }
}
