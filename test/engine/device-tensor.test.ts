import { describe, expect, it } from 'vitest'
import { holdTensor, isDeviceTensor } from '../../runtime/engine/device-tensor.ts'
import { tensor } from '../../runtime/engine/tensor.ts'

const one = tensor('float32', Float32Array.of(1), [1])

describe('holdTensor', () => {
  it('gives the tensor until it is disposed of', async () => {
    let disposals = 0
    const held = holdTensor(one, () => disposals++)
    expect(held).toMatchObject({ type: 'float32', dims: [1] })
    expect(await held.read()).toBe(one)
    await held.dispose()
    await held.dispose()
    expect(disposals).toBe(1)
    await expect(held.read()).rejects.toThrow(TypeError)
  })
})

describe('isDeviceTensor', () => {
  it('knows one by its form', () => {
    const { type, dims, read, dispose } = holdTensor(one)
    expect(isDeviceTensor({ type, dims, read, dispose })).toBe(true)
  })

  it.each([
    null,
    undefined,
    'float32',
    one,
    { ...holdTensor(one), type: 'float8' },
    { ...holdTensor(one), dims: '1' },
    { ...holdTensor(one), read: null },
    { ...holdTensor(one), dispose: 1 },
  ])('does not take %o for one', (value) => {
    expect(isDeviceTensor(value)).toBe(false)
  })
})
