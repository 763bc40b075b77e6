import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine, Provider, Session, SessionOptions } from '../../runtime/engine/engine.ts'
import { tensor } from '../../runtime/engine/tensor.ts'

/** Where models are written and loaded. */
export interface ModelWorkshop {
  open(): void
  load<DeviceName extends string = never>(
    bytes: Uint8Array,
    options?: SessionOptions<DeviceName>,
  ): Promise<Session<DeviceName>>
  loadFrom(path: string): Promise<Session>
  /** An empty folder. */
  folder(): string
  disposeSessions(): Promise<void>
  close(): void
}

/** A workshop that loads everything on one provider. The engine is made at the first load. */
export function createWorkshop(createEngine: () => Engine, provider: Provider): ModelWorkshop {
  const sessions: Pick<Session, 'dispose'>[] = []
  let engine: Engine | undefined
  let root = ''
  let folders = 0
  const folder = (): string => {
    const path = join(root, `${++folders}`)
    mkdirSync(path)
    return path
  }
  const loadFrom = async <DeviceName extends string = never>(
    path: string,
    options?: SessionOptions<DeviceName>,
  ): Promise<Session<DeviceName>> => {
    engine ??= createEngine()
    const session = await engine.load(path, { provider, ...options })
    sessions.push(session)
    return session
  }
  return {
    open: () => {
      root = mkdtempSync(join(tmpdir(), 'isoplex-engine-'))
    },
    folder,
    loadFrom: (path) => loadFrom(path),
    load(bytes, options) {
      const path = join(folder(), 'model.onnx')
      writeFileSync(path, bytes)
      return loadFrom(path, options)
    },
    disposeSessions: async () => {
      await Promise.all(sessions.splice(0).map((session) => session.dispose()))
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** What a model of `addConstantModel` answers to one number. */
export async function addedTo(session: Session, input: number): Promise<unknown> {
  const { y } = await session.run({ x: tensor('float32', Float32Array.of(input), [1]) })
  return y?.item()
}
