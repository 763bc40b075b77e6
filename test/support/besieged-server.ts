import { expect } from 'vitest'
import { makeProject, startServer, type TestProject, type TestServer } from './server.ts'

/** A server that bad input is sent to, with a function in it that is known to answer. */
export interface BesiegedServer extends AsyncDisposable {
  readonly project: TestProject
  readonly server: TestServer
  /** Remembers a token that is sent, good or bad, so that it is looked for in the log. Gives it back. */
  sent(token: string): string
  /** Expects that the server answers a good request, and that its log holds lines of JSON and no token. */
  expectUnharmed(): Promise<void>
}

const witness = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

export default defineFunction({
  access: 'public',
  input: Type.Object({ x: Type.Number() }),
  handler: ({ input }) => ({ twice: input.x * 2 }),
})
`

/** Starts `isoplex serve` with one replica over these files, and the function `/witness` beside them. */
export async function besiege(
  files: Readonly<Record<string, string | Uint8Array>>,
  settings: Readonly<Record<string, unknown>> = {},
  mode: 'dev' | 'serve' = 'serve',
): Promise<BesiegedServer> {
  const project = await makeProject({ ...files, 'functions/witness.ts': witness }, settings)
  const server = await startServer(project, mode, ['--replicas', '1'])
  const tokens = new Set<string>()
  return {
    project,
    server,
    sent(token) {
      tokens.add(token)
      return token
    },
    async expectUnharmed() {
      const reply = await server.call('/witness', { json: { x: 21 } })
      expect(reply).toMatchObject({ status: 200, json: { twice: 42 } })
      const lines = server.log().split('\n').filter(Boolean)
      expect(lines.filter((line) => !line.startsWith('{'))).toEqual([])
      for (const token of tokens) expect(server.log()).not.toContain(token)
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await project[Symbol.asyncDispose]()
    },
  }
}
