import { describe, expect, it } from 'vitest'
import { createExclusion } from '../../adapters/onnx/exclusion.ts'
import { describeFailure, fileNameOf } from '../../adapters/onnx/failure.ts'
import { findDisagreement, validateFeeds } from '../../adapters/onnx/feeds.ts'
import { toTensorFacts } from '../../adapters/onnx/metadata.ts'
import { toOnnxSessionOptions } from '../../adapters/onnx/session-options.ts'
import { fromOnnxTensor, toOnnxValue } from '../../adapters/onnx/value.ts'
import type { Provider, SessionOptions, TensorFacts } from '../../runtime/engine/engine.ts'
import { tensor } from '../../runtime/engine/tensor.ts'

describe('toOnnxSessionOptions', () => {
  it.each<[string, SessionOptions, Provider, unknown]>([
    ['leaves what is not given to the runtime', {}, 'cpu', { executionProviders: [{ name: 'cpu' }] }],
    [
      'hands every option on',
      { intraOpThreads: 2, interOpThreads: 1, graphOptimization: 'basic', memoryPattern: false },
      'cpu',
      {
        executionProviders: [{ name: 'cpu' }],
        intraOpNumThreads: 2,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'basic',
        enableMemPattern: false,
      },
    ],
    [
      'runs operators side by side where they have several threads',
      { interOpThreads: 2 },
      'cpu',
      { executionProviders: [{ name: 'cpu' }], interOpNumThreads: 2, executionMode: 'parallel' },
    ],
    [
      'runs operators in order on a device',
      { interOpThreads: 2 },
      'cuda',
      { executionProviders: [{ name: 'cuda' }], interOpNumThreads: 2 },
    ],
    [
      'gives webgpu the layout that it computes right in',
      {},
      'webgpu',
      { executionProviders: [{ name: 'webgpu', preferredLayout: 'NCHW' }] },
    ],
    [
      'lets provider options win',
      { provider: 'webgpu', providerOptions: { preferredLayout: 'NHWC', enableRobustness: true } },
      'webgpu',
      { executionProviders: [{ name: 'webgpu', preferredLayout: 'NHWC', enableRobustness: true }] },
    ],
    [
      'hands provider options to the provider that they name',
      { provider: 'cuda', providerOptions: { deviceId: 1 } },
      'cuda',
      { executionProviders: [{ name: 'cuda', deviceId: 1 }] },
    ],
    [
      'keeps them from a fallback',
      { provider: 'cuda', fallback: 'cpu', providerOptions: { deviceId: 1 } },
      'cpu',
      { executionProviders: [{ name: 'cpu' }] },
    ],
  ])('%s', (_, options, provider, expected) => {
    expect(toOnnxSessionOptions(options, provider)).toEqual({ ...(expected as object), logSeverityLevel: 4 })
  })

  it.each<[SessionOptions | Record<string, unknown>, string]>([
    [{ intraOpThreads: 0 }, '"intraOpThreads" must be a whole number from 1 to 1024; got 0.'],
    [{ intraOpThreads: 1.5 }, '"intraOpThreads" must be a whole number from 1 to 1024; got 1.5.'],
    [{ intraOpThreads: Number.NaN }, '"intraOpThreads" must be a whole number from 1 to 1024; got NaN.'],
    [{ interOpThreads: 1e9 }, '"interOpThreads" must be a whole number from 1 to 1024; got 1000000000.'],
    [{ interOpThreads: '2' }, '"interOpThreads" must be a whole number from 1 to 1024; got "2".'],
    [
      { graphOptimization: 'most' },
      '"graphOptimization" must be one of disabled, basic, extended, layout, all; got "most".',
    ],
    [{ memoryPattern: 'yes' }, '"memoryPattern" must be true or false; got "yes".'],
    [{ providerOptions: { deviceId: 1 } }, '"providerOptions" need a provider that is named in "provider".'],
    [
      { provider: 'cuda', providerOptions: { gpu_mem_limit: 1 } },
      '"providerOptions.gpu_mem_limit" is no option of cuda; it takes deviceId.',
    ],
    [
      { provider: 'cpu', providerOptions: { useArena: true } },
      '"providerOptions.useArena" is no option of cpu; it takes none.',
    ],
    [
      { provider: 'cuda', providerOptions: { name: 'cpu' } },
      '"providerOptions.name" is no option of cuda; it takes deviceId.',
    ],
    [
      { provider: 'cuda', providerOptions: { toString: 1 } },
      '"providerOptions.toString" is no option of cuda; it takes deviceId.',
    ],
    [
      { provider: 'cuda', providerOptions: { deviceId: -1 } },
      '"providerOptions.deviceId" must be a whole number from 0 to 1023; got -1.',
    ],
    [
      { provider: 'webgpu', providerOptions: { preferredLayout: 'NWHC' } },
      '"providerOptions.preferredLayout" must be one of NCHW, NHWC; got "NWHC".',
    ],
    [
      { provider: 'webgpu', providerOptions: { enableRobustness: 1 } },
      '"providerOptions.enableRobustness" must be true or false; got 1.',
    ],
  ])('refuses %o', (options, message) => {
    expect(() => toOnnxSessionOptions(options as SessionOptions, 'cpu')).toThrow(new TypeError(message))
  })
})

describe('toTensorFacts', () => {
  it('tells a name from a number and from none', () => {
    const shape = ['batch', '', 3]
    expect(toTensorFacts('input', [{ name: 'x', isTensor: true, type: 'float16', shape }])).toEqual([
      { name: 'x', type: 'float16', dims: ['batch', null, 3] },
    ])
  })

  it('refuses what no tensor of ours can carry', () => {
    expect(() => toTensorFacts('output', [{ name: 'y', isTensor: false }])).toThrow(/output "y" is no tensor/)
    const uint4 = { name: 'x', isTensor: true, type: 'uint4', shape: [1] } as const
    expect(() => toTensorFacts('input', [uint4])).toThrow(/input "x" holds uint4 elements/)
  })
})

describe('values', () => {
  it('share the memory of the tensor, float16 as its bits', () => {
    const memory = Float16Array.of(0, 1, 2, 0)
    const value = toOnnxValue(tensor('float16', memory.subarray(1, 3), [2]))
    expect(value).toMatchObject({
      type: 'float16',
      dims: [2],
      location: 'cpu',
      data: Uint16Array.of(0x3c00, 0x4000),
    })
    const data = Float32Array.of(1)
    expect(toOnnxValue(tensor('float32', data, [1]))).toMatchObject({ data })
  })

  it('come back over the same memory', () => {
    const data = Float32Array.of(1, 2)
    const value = { type: 'float32', data, dims: [2], location: 'cpu' }
    const back = fromOnnxTensor(value as unknown as Parameters<typeof fromOnnxTensor>[0])
    expect(back).toEqual(tensor('float32', data, [2]))
    expect(back.data).toBe(data)
  })
})

describe('validateFeeds', () => {
  const named = (name: string, dims: TensorFacts['dims']): TensorFacts => ({ name, type: 'float32', dims })
  const one = tensor('float32', Float32Array.of(1), [1])

  it('gives the feeds in the order of the inputs', () => {
    const feeds = validateFeeds([named('a', [1]), named('b', [1])], { b: one, a: one })
    expect(feeds.map(([name]) => name)).toEqual(['a', 'b'])
  })

  it('takes names that objects inherit', () => {
    const feeds = Object.fromEntries([['__proto__', one]])
    expect(validateFeeds([named('__proto__', [1])], feeds)).toEqual([['__proto__', one]])
    expect(() => validateFeeds([named('toString', [1])], {})).toThrow('Input "toString" is missing')
  })

  it('leaves a shape that the model leaves open to the runtime', () => {
    expect(validateFeeds([named('x', [])], { x: one })).toHaveLength(1)
  })

  it('does not refuse feeds over names of dimensions alone', () => {
    const inputs = [named('a', ['n']), named('b', ['n'])]
    const feeds = { a: one, b: tensor('float32', Float32Array.of(1, 2), [2]) }
    expect(validateFeeds(inputs, feeds)).toHaveLength(2)
    expect(findDisagreement(inputs, feeds)?.message).toBe(
      'Input "b" takes the shape [n], where n is 1 by input "a"; got [2].',
    )
  })

  it('finds no disagreement where names agree, differ or are missing', () => {
    const two = tensor('float32', Float32Array.of(1, 2), [2])
    expect(findDisagreement([named('a', ['n']), named('b', ['n'])], { a: one, b: one })).toBeUndefined()
    expect(findDisagreement([named('a', ['n']), named('b', ['m'])], { a: one, b: two })).toBeUndefined()
    expect(findDisagreement([named('a', [null]), named('b', [null])], { a: one, b: two })).toBeUndefined()
  })
})

describe('describeFailure', () => {
  it.each([
    ['Load model from /srv/a b/m.onnx failed:Protobuf parsing failed.', 'Protobuf parsing failed'],
    [
      'Load model from /srv/a b/m.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:187 onnxruntime::Model::Model(onnx::ModelProto&&, const std::vector<int (*)(int)>&) ModelProto does not have a graph.\n',
      'ModelProto does not have a graph',
    ],
    [
      'External data path validation failed for initializer: w. Error: tensorprotoutils.cc:461 ValidateExternalDataPathFromDir External data path does not exist: "/srv/a b/m.bin"',
      'External data path validation failed for initializer: w. Error: External data path does not exist: "m.bin"',
    ],
    [
      '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const Config&)::<lambda()> status was false. Failed to get a WebGPU adapter',
      'status was false. Failed to get a WebGPU adapter',
    ],
    [
      "Non-zero status code returned while running MatMul node. Name:'/layer1/MatMul' Status Message: matmul_helper.h:59 Compute MatMul dimension mismatch",
      "Non-zero status code returned while running MatMul node. Name:'/layer1/MatMul' Status Message: MatMul dimension mismatch",
    ],
    ['[ONNXRuntimeError] : 1 : FAIL : out of bounds', 'out of bounds'],
    ['C:\\models\\m.onnx', 'C:\\models\\m.onnx'],
    ['it lies in "C:\\models\\deep\\m.onnx"', 'it lies in "m.onnx"'],
    ['unbalanced a.cc:1 (', 'unbalanced ('],
    ['', 'it gave no reason'],
    ['...', 'it gave no reason'],
  ])('says of %o: %s', (message, reason) => {
    expect(describeFailure(new Error(message), '/srv/a b/m.onnx')).toBe(reason)
  })

  it('is never long, whatever it is given', () => {
    expect(describeFailure(new Error('x'.repeat(100_000))).length).toBeLessThan(310)
    expect(describeFailure(new Error(`${'a.cc:1 f('.repeat(20_000)}`)).length).toBeLessThan(310)
    expect(describeFailure('a text')).toBe('a text')
    expect(describeFailure(undefined)).toBe('undefined')
  })
})

describe('fileNameOf', () => {
  it.each([
    ['/srv/models/m.onnx', 'm.onnx'],
    ['m.onnx', 'm.onnx'],
    ['/srv/models/', 'models'],
    ['C:\\models\\m.onnx', 'm.onnx'],
    ['https://host/a/m.onnx?token=secret#part', 'm.onnx'],
    ['/', '/'],
  ])('of %s is %s', (location, name) => {
    expect(fileNameOf(location)).toBe(name)
  })
})

describe('createExclusion', () => {
  it('does one piece of work at a time, in the order of asking', async () => {
    const exclusive = createExclusion()
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const log: string[] = []
    const works = gates.map((gate, index) =>
      exclusive(async () => {
        log.push(`begin ${index}`)
        await gate.promise
        log.push(`end ${index}`)
        return index
      }),
    )
    gates[1]?.resolve()
    await Promise.resolve()
    gates[0]?.resolve()
    expect(await Promise.all(works)).toEqual([0, 1])
    expect(log).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1'])
  })

  it('goes on after work that fails, and throws to its caller alone', async () => {
    const exclusive = createExclusion()
    const failing = exclusive(() => Promise.reject(new Error('mine')))
    const throwing = exclusive(() => {
      throw new Error('at once')
    })
    const next = exclusive(() => Promise.resolve('next'))
    await expect(failing).rejects.toThrow('mine')
    await expect(throwing).rejects.toThrow('at once')
    expect(await next).toBe('next')
  })
})
