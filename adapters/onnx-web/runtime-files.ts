/** The URLs of the files that ONNX Runtime loads in a page, as they lie in its package. */
export interface RuntimeFiles {
  readonly webgpuModule: string
  readonly webgpuWasm: string
  readonly wasmModule: string
  readonly wasmWasm: string
}

/**
 * Finds the files that the installed ONNX Runtime loads by URL: those of its build with WebGPU, and those of the one for
 * wasm alone. For whoever puts them where pages find them.
 */
export function findRuntimeFiles(): RuntimeFiles {
  return {
    webgpuModule: import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs'),
    webgpuWasm: import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm'),
    wasmModule: import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.mjs'),
    wasmWasm: import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'),
  }
}
