import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand, startCommand, startOnTerminal } from '../support/command.ts'
import { adding } from '../support/function-files.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

let project: TestProject
let server: TestServer
beforeAll(async () => {
  project = await makeProject({ 'functions/add.ts': adding })
  server = await startServer(project, 'dev', ['--replicas', '1'])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

describe('isoplex ps', () => {
  it('shows the replicas to people, and all that is known to programs', async () => {
    expect((await runCommand(project, 'ps')).stdout).toMatch(/^REPLICA +PID +MEMORY .*\n0 +\d+ /)
    const { replicas } = JSON.parse((await runCommand(project, 'ps', '--json')).stdout)
    expect(replicas[0]).toMatchObject({ replica: 0, pid: expect.any(Number), runners: [] })
  })

  it('draws the table again and again on a terminal', async () => {
    await using watching = startOnTerminal(project, 'ps', '--watch')
    await watching.said(/(REPLICA[\s\S]*REPLICA)/)
    expect(watching.stdout()).toContain('\u001b[H\u001b[J')
    watching.kill('SIGINT')
    await watching.ended
  })

  it('ends when nobody reads it any more', async () => {
    await using watching = startCommand(project, 'ps', '--watch', '--json')
    await watching.said(/(replicas)/)
    await watching.hangUp()
    expect(await watching.ended).toBe(0)
  })

  it('ends when the server does', async () => {
    await using other = await makeProject({ 'functions/add.ts': adding })
    await using passing = await startServer(other, 'dev', ['--replicas', '1'])
    await using watching = startCommand(other, 'ps', '--watch', '--json')
    await watching.said(/(replicas)/)
    await passing.end()
    expect(await watching.ended).toBe(1)
    expect(watching.stderr()).toMatch(/No server runs on the state directory/)
  })

  it.each([['ps'], ['models load 1'], ['models unload 1'], ['models pin 1'], ['models unpin 1']])(
    'and its like say what to do where no server runs: %s',
    async (words) => {
      await using idle = await makeProject({ 'functions/add.ts': adding })
      const { code, stdout, stderr } = await runCommand(idle, ...words.split(' '))
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(
        /^isoplex: No server runs on the state directory .*; start one with "isoplex serve"\.$/m,
      )
    },
  )
})
