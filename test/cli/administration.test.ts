import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../support/command.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject } from '../support/server.ts'

describe('a command of the administration', () => {
  it('works on the registry itself where no server runs, with the models of the folder in it', async () => {
    await using project = await makeProject({ 'functions/_models/folder/model.onnx': addConstantModel(1) })
    const { code, stdout } = await runCommand(project, 'models', 'list', '--json')
    expect({ code, models: JSON.parse(stdout) }).toMatchObject({ code: 0, models: [{ id: 'folder' }] })
  })

  it('passes over what points to no server', async () => {
    await using project = await makeProject()
    const { directory } = project
    const pointer = { socketPath: join(directory, 'nobody.sock'), pid: process.pid, startedAt: 1 }
    await project.write(`.isoplex/control/${process.pid}.json`, JSON.stringify(pointer))
    await project.write('.isoplex/control/1.json', 'no pointer')
    const { code, stderr } = await runCommand(project, 'tenants', 'add', 'acme')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('says why where the registry cannot be opened', async () => {
    await using project = await makeProject()
    await mkdir(join(project.directory, '.isoplex'))
    await symlink('/dev/null', join(project.directory, '.isoplex/registry.sqlite'))
    const { code, stdout, stderr } = await runCommand(project, 'tenants', 'list')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^isoplex: /)
  })
})
