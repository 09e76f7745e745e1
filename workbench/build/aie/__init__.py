"""The toolchain of the real NPU: Peano, aiecc of three generations, and what their objects say."""
