import { describe, expect, it } from 'vitest'
import { runCommand } from '../support/command.ts'
import { adding } from '../support/function-files.ts'
import { HostileServer } from '../support/hostile-server.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { absenceOfS3Server, type S3Server, startS3Server } from '../support/s3-server.ts'
import { makeProject, startServer } from '../support/server.ts'

/** The variables by which a process knows an S3 server. */
function environmentOf({ options }: S3Server): Record<string, string> {
  return {
    S3_ENDPOINT: options.endpoint,
    S3_ACCESS_KEY_ID: options.accessKeyId,
    S3_SECRET_ACCESS_KEY: options.secretAccessKey,
    S3_REGION: options.region,
  }
}

describe.runIf(requireOrSkip('s3', absenceOfS3Server()))('a model in S3', () => {
  it('is added from there, with and without a running server', async () => {
    await using s3 = await startS3Server()
    await s3.write('five.onnx', addConstantModel(5))
    await s3.write('six.onnx', addConstantModel(6))
    await using project = await makeProject({ 'functions/add.ts': adding })
    const call = { directory: project.directory, environment: environmentOf(s3) }
    const alone = await runCommand(call, 'models', 'add', 's3://models/five.onnx', '--id', 'five')
    expect(alone).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Added five@1 /) })
    await using server = await startServer(project, 'serve', ['--replicas', '1'], environmentOf(s3))
    // The server has the credentials: who asks it by its socket needs none.
    const served = await project.run('models', 'add', 's3://models/six.onnx', '--id', 'six')
    expect(served).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Added six@1 /) })
    for (const [model, y] of [
      ['five', 6],
      ['six', 7],
    ] as const) {
      const token = await server.token(model)
      expect((await server.call('/add', { json: { x: 1 }, token })).json).toMatchObject({ y, model })
    }
    const missing = await project.run('models', 'add', 's3://models/none.onnx', '--id', 'none')
    expect(missing).toMatchObject({ code: 1, stderr: expect.not.stringContaining('S3RVER') })
  })

  it('is where a backend may send to, if its bucket is named', async () => {
    await using s3 = await startS3Server()
    await s3.write('five.onnx', addConstantModel(5))
    await using backend = await HostileServer.start()
    backend.reply('/models/5/', { kind: 'json', value: { id: 5, file: 's3://models/five.onnx' } })
    await using project = await makeProject({ 'functions/add.ts': adding })
    const flags = ['--replicas', '1', '--backend', 'synapse', '--backend-url', backend.url]
    const environment = { ...environmentOf(s3), SYNAPSE_ACCESS_TOKEN: 'of-this-server' }
    {
      await using server = await startServer(project, 'serve', flags, environment)
      const token = await server.token('5')
      expect(await server.call('/add', { json: { x: 1 }, token })).toMatchObject({
        status: 502,
        json: { code: 'ARTIFACT_BROKEN', reason: 'url-host' },
      })
    }
    await using server = await startServer(
      project,
      'serve',
      [...flags, '--artifact-hosts', 's3://models'],
      environment,
    )
    const token = await server.token('5')
    expect((await server.call('/add', { json: { x: 1 }, token })).json).toMatchObject({ y: 6 })
  })
})
