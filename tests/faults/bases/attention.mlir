module {
  aie.device(npu1_1col) {
    func.func private @attention(memref<768xi8>, memref<256xi8>, i32) attributes {link_with = "attention.o"}
    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, 2)
    aie.objectfifo @in(%shim, {%tile}, 2 : i32) : !aie.objectfifo<memref<768xi8>>
    aie.objectfifo @out(%tile, {%shim}, 2 : i32) : !aie.objectfifo<memref<256xi8>>
    %core = aie.core(%tile) {
      %first = arith.constant 0 : index
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      %shift = arith.constant 3 : i32
      scf.for %run = %first to %forever step %one {
        %in = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<768xi8>>
        %qkv = aie.objectfifo.subview.access %in[0] : !aie.objectfifosubview<memref<768xi8>> -> memref<768xi8>
        %to = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<256xi8>>
        %out = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<256xi8>> -> memref<256xi8>
        func.call @attention(%qkv, %out, %shift) : (memref<768xi8>, memref<256xi8>, i32) -> ()
        aie.objectfifo.release @in(Consume, 1)
        aie.objectfifo.release @out(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32}
    aie.runtime_sequence @sequence(%qkv : memref<768xi8>, %out : memref<256xi8>) {
      aiex.npu.dma_memcpy_nd(%qkv[0, 0, 0, 0][1, 1, 1, 768][0, 0, 0, 1]) {metadata = @in, id = 0 : i64} : memref<768xi8>
      aiex.npu.dma_memcpy_nd(%out[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @out, id = 1 : i64} : memref<256xi8>
      aiex.npu.dma_wait {symbol = @out}
    }
  }
}
