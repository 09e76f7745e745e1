// Four heads of 64x64 int8 attention on the four cores of a column. The mem tile (0,1) hands each
// head's Q, K and V to a core of its own and puts the four outputs together.
//
// Of six DMA channels a direction the mem tile uses five, of two the shim one.
module {
  aie.device(npu1_1col) {
    func.func private @attention_64x64(memref<12288xi8>, memref<4096xi8>, i32) attributes {link_with = "attention.o"}

    %shim = aie.tile(0, 0)
    %mem = aie.tile(0, 1)
    %core0 = aie.tile(0, 2)
    %core1 = aie.tile(0, 3)
    %core2 = aie.tile(0, 4)
    %core3 = aie.tile(0, 5)

    // Q, K and V of head 0, then those of heads 1 to 3.
    aie.objectfifo @of_heads(%shim, {%mem}, 2 : i32) : !aie.objectfifo<memref<49152xi8>>
    aie.objectfifo @of_QKV0(%mem, {%core0}, 2 : i32) : !aie.objectfifo<memref<12288xi8>>
    aie.objectfifo @of_QKV1(%mem, {%core1}, 2 : i32) : !aie.objectfifo<memref<12288xi8>>
    aie.objectfifo @of_QKV2(%mem, {%core2}, 2 : i32) : !aie.objectfifo<memref<12288xi8>>
    aie.objectfifo @of_QKV3(%mem, {%core3}, 2 : i32) : !aie.objectfifo<memref<12288xi8>>
    // Offsets are in elements.
    aie.objectfifo.link [@of_heads] -> [@of_QKV0, @of_QKV1, @of_QKV2, @of_QKV3] ([] [0, 12288, 24576, 36864])

    aie.objectfifo @of_out0(%core0, {%mem}, 2 : i32) : !aie.objectfifo<memref<4096xi8>>
    aie.objectfifo @of_out1(%core1, {%mem}, 2 : i32) : !aie.objectfifo<memref<4096xi8>>
    aie.objectfifo @of_out2(%core2, {%mem}, 2 : i32) : !aie.objectfifo<memref<4096xi8>>
    aie.objectfifo @of_out3(%core3, {%mem}, 2 : i32) : !aie.objectfifo<memref<4096xi8>>
    aie.objectfifo @of_outs(%mem, {%shim}, 2 : i32) : !aie.objectfifo<memref<16384xi8>>
    aie.objectfifo.link [@of_out0, @of_out1, @of_out2, @of_out3] -> [@of_outs] ([0, 4096, 8192, 12288] [])

    %program0 = aie.core(%core0) {
      %first = arith.constant 0 : index
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      %scale_shift = arith.constant 3 : i32

      scf.for %run = %first to %forever step %one {
        %in = aie.objectfifo.acquire @of_QKV0(Consume, 1) : !aie.objectfifosubview<memref<12288xi8>>
        %qkv = aie.objectfifo.subview.access %in[0] : !aie.objectfifosubview<memref<12288xi8>> -> memref<12288xi8>
        %to = aie.objectfifo.acquire @of_out0(Produce, 1) : !aie.objectfifosubview<memref<4096xi8>>
        %out = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<4096xi8>> -> memref<4096xi8>

        func.call @attention_64x64(%qkv, %out, %scale_shift) : (memref<12288xi8>, memref<4096xi8>, i32) -> ()

        aie.objectfifo.release @of_QKV0(Consume, 1)
        aie.objectfifo.release @of_out0(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program1 = aie.core(%core1) {
      %first = arith.constant 0 : index
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      %scale_shift = arith.constant 3 : i32

      scf.for %run = %first to %forever step %one {
        %in = aie.objectfifo.acquire @of_QKV1(Consume, 1) : !aie.objectfifosubview<memref<12288xi8>>
        %qkv = aie.objectfifo.subview.access %in[0] : !aie.objectfifosubview<memref<12288xi8>> -> memref<12288xi8>
        %to = aie.objectfifo.acquire @of_out1(Produce, 1) : !aie.objectfifosubview<memref<4096xi8>>
        %out = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<4096xi8>> -> memref<4096xi8>

        func.call @attention_64x64(%qkv, %out, %scale_shift) : (memref<12288xi8>, memref<4096xi8>, i32) -> ()

        aie.objectfifo.release @of_QKV1(Consume, 1)
        aie.objectfifo.release @of_out1(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program2 = aie.core(%core2) {
      %first = arith.constant 0 : index
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      %scale_shift = arith.constant 3 : i32

      scf.for %run = %first to %forever step %one {
        %in = aie.objectfifo.acquire @of_QKV2(Consume, 1) : !aie.objectfifosubview<memref<12288xi8>>
        %qkv = aie.objectfifo.subview.access %in[0] : !aie.objectfifosubview<memref<12288xi8>> -> memref<12288xi8>
        %to = aie.objectfifo.acquire @of_out2(Produce, 1) : !aie.objectfifosubview<memref<4096xi8>>
        %out = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<4096xi8>> -> memref<4096xi8>

        func.call @attention_64x64(%qkv, %out, %scale_shift) : (memref<12288xi8>, memref<4096xi8>, i32) -> ()

        aie.objectfifo.release @of_QKV2(Consume, 1)
        aie.objectfifo.release @of_out2(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program3 = aie.core(%core3) {
      %first = arith.constant 0 : index
      %forever = arith.constant 9223372036854775807 : index
      %one = arith.constant 1 : index
      %scale_shift = arith.constant 3 : i32

      scf.for %run = %first to %forever step %one {
        %in = aie.objectfifo.acquire @of_QKV3(Consume, 1) : !aie.objectfifosubview<memref<12288xi8>>
        %qkv = aie.objectfifo.subview.access %in[0] : !aie.objectfifosubview<memref<12288xi8>> -> memref<12288xi8>
        %to = aie.objectfifo.acquire @of_out3(Produce, 1) : !aie.objectfifosubview<memref<4096xi8>>
        %out = aie.objectfifo.subview.access %to[0] : !aie.objectfifosubview<memref<4096xi8>> -> memref<4096xi8>

        func.call @attention_64x64(%qkv, %out, %scale_shift) : (memref<12288xi8>, memref<4096xi8>, i32) -> ()

        aie.objectfifo.release @of_QKV3(Consume, 1)
        aie.objectfifo.release @of_out3(Produce, 1)
      }
      aie.end
    } {stack_size = 1024 : i32}

    aie.runtime_sequence @sequence(%heads : memref<49152xi8>, %outs : memref<16384xi8>) {
      aiex.npu.dma_memcpy_nd(%heads[0, 0, 0, 0][1, 1, 1, 49152][0, 0, 0, 1]) {metadata = @of_heads, id = 0 : i64} : memref<49152xi8>
      aiex.npu.dma_memcpy_nd(%outs[0, 0, 0, 0][1, 1, 1, 16384][0, 0, 0, 1]) {metadata = @of_outs, id = 1 : i64} : memref<16384xi8>
      aiex.npu.dma_wait {symbol = @of_outs}
    }
  }
}
