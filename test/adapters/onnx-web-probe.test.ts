import { describe, expect, it } from 'vitest'
import { type Probe, ProbedSession } from '../../adapters/onnx-web/probed-session.ts'
import type { Verdict } from '../../adapters/onnx-web/verdict.ts'
import type { Session, Tensors } from '../../runtime/engine/engine.ts'
import { tensor } from '../../runtime/engine/tensor.ts'
import { type AnyIsoplexError, IsoplexError } from '../../runtime/error/error.ts'

const x = tensor('float32', Float32Array.of(3), [1])
const failed = new IsoplexError('INFERENCE_FAILED', 'The model failed on these inputs: no reason.')
const lost = new IsoplexError('DEVICE_LOST', 'It is gone.')

interface PlainSession extends Session {
  readonly counts: { runs: number; disposals: number }
}

/** A session of plain code; it answers by a factor, or fails. */
function plainSession(provider: 'webgpu' | 'wasm', answer: number | Error): PlainSession {
  const counts = { runs: 0, disposals: 0 }
  const facts = { type: 'float32', dims: [1] } as const
  return {
    inputs: [{ name: 'x', ...facts }],
    outputs: [{ name: 'y', ...facts }],
    provider,
    counts,
    async run({ x: given }) {
      counts.runs++
      await Promise.resolve()
      if (typeof answer !== 'number') throw answer
      const { data } = given as Tensors[string]
      return { y: tensor('float32', Float32Array.of(Number(data[0]) * answer), [1]) }
    },
    dispose: async () => void counts.disposals++,
  }
}

/** A session to be proven, what it is proven with, and what comes of it. */
function probed(own: PlainSession, reference: PlainSession | Error, refusal: AnyIsoplexError | null = null) {
  const verdicts: Verdict[] = []
  const probe: Probe<never> = {
    async openReference() {
      if (reference instanceof Error) throw reference
      return reference
    },
    async conclude(verdict) {
      verdicts.push(verdict)
      return verdict.agrees ? null : refusal
    },
  }
  return { session: new ProbedSession(own, probe), verdicts }
}

describe('a probed session', () => {
  it('goes on by itself where the reference agrees', async () => {
    const [own, reference] = [plainSession('webgpu', 2), plainSession('wasm', 2)]
    const { session, verdicts } = probed(own, reference)
    for (let run = 0; run < 3; run++) expect((await session.run({ x })).y?.item()).toBe(6)
    expect([session.provider, own.counts, reference.counts]).toEqual([
      'webgpu',
      { runs: 3, disposals: 0 },
      { runs: 1, disposals: 1 },
    ])
    expect(verdicts).toEqual([{ agrees: true, reason: null }])
  })

  it.each([
    ['differs', 3, 'webgpu and wasm differ: output "y" has 9 instead of 6 at position 0.'],
    ['fails', failed, `webgpu fails on what wasm computes. ${failed.message}`],
  ])('gives way to the reference where it %s', async (_, answer, reason) => {
    const [own, reference] = [plainSession('webgpu', answer), plainSession('wasm', 2)]
    const { session, verdicts } = probed(own, reference)
    for (let run = 0; run < 2; run++) expect((await session.run({ x })).y?.item()).toBe(6)
    expect([session.provider, own.counts, reference.counts]).toEqual([
      'wasm',
      { runs: 1, disposals: 1 },
      { runs: 2, disposals: 0 },
    ])
    expect(verdicts).toEqual([{ agrees: false, reason }])
    await session.dispose()
    expect([own.counts.disposals, reference.counts.disposals]).toEqual([1, 1])
  })

  it('answers with the refusal where the reference may not', async () => {
    const refusal = new IsoplexError('PROVIDER_UNAVAILABLE', 'Not here.', {
      details: { missing: ['webgpu'] },
    })
    const [own, reference] = [plainSession('webgpu', 3), plainSession('wasm', 2)]
    const { session } = probed(own, reference, refusal as AnyIsoplexError)
    await expect(session.run({ x })).rejects.toBe(refusal)
    await expect(session.run({ x })).rejects.toBe(refusal)
    await session.dispose()
    expect([own.counts, reference.counts.disposals]).toEqual([{ runs: 1, disposals: 1 }, 1])
  })

  it('proves nothing where the reference fails too', async () => {
    const [own, reference] = [plainSession('webgpu', 2), plainSession('wasm', failed)]
    const { session, verdicts } = probed(own, reference)
    await expect(session.run({ x })).rejects.toBe(failed)
    await expect(session.run({ x })).rejects.toBe(failed)
    expect([reference.counts, verdicts]).toEqual([{ runs: 2, disposals: 2 }, []])
  })

  it('goes on by itself where there is no reference', async () => {
    const { session, verdicts } = probed(plainSession('webgpu', 2), new Error('no such operator'))
    expect((await session.run({ x })).y?.item()).toBe(6)
    expect(verdicts).toEqual([])
    const failing = probed(plainSession('webgpu', failed), new Error('no such operator'))
    await expect(failing.session.run({ x })).rejects.toBe(failed)
  })

  it('takes a loss for no proof', async () => {
    const own = probed(plainSession('webgpu', lost), plainSession('wasm', 2))
    await expect(own.session.run({ x })).rejects.toBe(lost)
    const reference = probed(plainSession('webgpu', 2), lost)
    await expect(reference.session.run({ x })).rejects.toBe(lost)
    expect([own.verdicts, reference.verdicts]).toEqual([[], []])
  })

  it('is proven once, however many runs come at first', async () => {
    const [own, reference] = [plainSession('webgpu', 3), plainSession('wasm', 2)]
    const { session, verdicts } = probed(own, reference)
    const answers = await Promise.all(Array.from({ length: 5 }, () => session.run({ x })))
    expect(answers.map(({ y }) => y?.item())).toEqual([6, 6, 6, 6, 6])
    expect([own.counts.runs, reference.counts.runs, verdicts.length]).toEqual([1, 5, 1])
  })

  describe('of feeds of one value each', () => {
    const flat = tensor('float32', new Float32Array(4), [4])
    const varied = tensor('float32', Float32Array.of(0, 1, 0, 0), [4])
    /** It is right on feeds of one value only. */
    const wrong = (): PlainSession => ({
      ...plainSession('webgpu', 2),
      run: async ({ x: given }) => {
        const [first = 0, second = 0] = (given as Tensors[string]).toArray().map(Number)
        return { y: tensor('float32', Float32Array.of(first + second * 2), [1]) }
      },
    })

    it('compares what comes next as well', async () => {
      const { session, verdicts } = probed(wrong(), plainSession('wasm', 2))
      expect((await session.run({ x: flat })).y?.item()).toBe(0)
      expect([session.provider, verdicts]).toEqual(['webgpu', []])
      expect((await session.run({ x: varied })).y?.item()).toBe(0)
      expect([session.provider, verdicts[0]?.agrees]).toEqual(['wasm', false])
    })

    it('takes what agrees on several of them to agree', async () => {
      const reference = plainSession('wasm', 2)
      const { session, verdicts } = probed(plainSession('webgpu', 2), reference)
      for (let run = 0; run < 6; run++) await session.run({ x: flat, other: x })
      expect([verdicts, reference.counts]).toEqual([
        [{ agrees: true, reason: null }],
        { runs: 4, disposals: 4 },
      ])
    })
  })

  it('finishes the runs in flight before it goes, and runs no more', async () => {
    const [own, reference] = [plainSession('webgpu', 3), plainSession('wasm', 2)]
    const { session } = probed(own, reference)
    const runs = [session.run({ x }), session.run({ x })]
    const disposal = session.dispose()
    await expect(session.run({ x })).rejects.toThrow(TypeError)
    expect((await Promise.all(runs)).map(({ y }) => y?.item())).toEqual([6, 6])
    await Promise.all([disposal, session.dispose()])
    expect([own.counts.disposals, reference.counts.disposals]).toEqual([1, 1])
  })
})
