import { SQL } from 'bun'
import { describe, expect, it } from 'vitest'
import { openRegistryDatabase } from '../../runtime/model/registry-database.ts'
import { createScratch } from './scratch.ts'

describe('openRegistryDatabase', () => {
  it('opens a path of any characters', async () => {
    await using scratch = await createScratch()
    const path = await scratch
      .write('a b?c#d%20é/placeholder', '')
      .then((file) => file.replace('placeholder', 'registry.sqlite'))
    const database = await openRegistryDatabase(path)
    await database.close()
    expect(await scratch.list('a b?c#d%20é')).toContain('registry.sqlite')
  })

  it('refuses the registry of a newer isoplex', async () => {
    await using scratch = await createScratch()
    const path = scratch.path('registry.sqlite')
    const database = await openRegistryDatabase(path)
    await database.write((sql) => sql`UPDATE registry_schema SET version = 4`)
    await database.close()
    await expect(openRegistryDatabase(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('has form 4'),
    })
  })

  it('refuses a file that is no database', async () => {
    await using scratch = await createScratch()
    const path = await scratch.write('registry.sqlite', 'x'.repeat(5_000))
    await expect(openRegistryDatabase(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('shows a reader nothing that is not committed', async () => {
    await using scratch = await createScratch()
    const { reading, write, close } = await openRegistryDatabase(scratch.path('registry.sqlite'))
    await write(async (sql) => {
      await sql`INSERT INTO models (id, last_version) VALUES ('a', 0)`
      expect(await reading`SELECT id FROM models`).toHaveLength(0)
    })
    expect(await reading`SELECT id FROM models`).toHaveLength(1)
    await close()
  })

  it('is made once, however many processes open it at the same time', async () => {
    await using scratch = await createScratch()
    const script = new URL('fixtures/open-registry.ts', import.meta.url).pathname
    const path = scratch.path('registry.sqlite')
    const children = Array.from({ length: 6 }, () =>
      Bun.spawn([process.execPath, script, path], { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' }),
    )
    const outputs = children.map((child) => child.stdout.pipeThrough(new TextDecoderStream()).getReader())
    for (const output of outputs) expect(await output.read()).toMatchObject({ value: 'ready\n' })
    for (const child of children) child.stdin.write('go\n') && child.stdin.flush()
    for (const child of children) {
      expect({ code: await child.exited, text: await new Response(child.stderr).text() }).toEqual({
        code: 0,
        text: '',
      })
    }
    const database = new SQL({ adapter: 'sqlite', filename: path })
    expect([...(await database`SELECT version FROM registry_schema`)]).toEqual([{ version: 3 }])
    await database.close()
  })
})
