import { expect, it } from 'vitest'
import { getRuntimeEnv } from '../../runtime/deploy/runtime-env.ts'

const requirements = `# what it needs
numpy==2.1.0
torch>=2   # the CPU one

--index-url https://packages.example/simple
-f "my wheels"
git+https://host.example/a.git#egg=a
`
const packages = ['numpy==2.1.0', 'torch>=2', 'git+https://host.example/a.git#egg=a']
const options = ['--index-url', 'https://packages.example/simple', '-f', 'my wheels']

it('has the packages and options of requirements.txt for pip', () => {
  expect(getRuntimeEnv({ requirements })).toEqual({
    pip: { packages, pip_install_options: [...options, '--upgrade'] },
  })
})

it('has them for uv where config.yaml says so', () => {
  expect(getRuntimeEnv({ requirements, configFile: { package_manager: 'uv' } })).toEqual({
    uv: { packages, uv_pip_install_options: [...options, '--no-cache'] },
  })
})

it('takes pip where config.yaml says nothing that can be read', () => {
  for (const configFile of [undefined, null, 7, 'uv', ['uv'], { package_manager: 'pip' }]) {
    expect(getRuntimeEnv({ requirements: 'a', configFile })).toEqual({
      pip: { packages: ['a'], pip_install_options: ['--upgrade'] },
    })
  }
})

it('is empty without packages', () => {
  for (const text of [null, '', '\n\r\n', '# nothing', '--index-url https://packages.example']) {
    expect(getRuntimeEnv({ requirements: text })).toEqual({})
  }
})

it('names the line that cannot be read', () => {
  expect(() => getRuntimeEnv({ requirements: 'a\n--find-links "b' })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('Line 2') }),
  )
  expect(() => getRuntimeEnv({ requirements: 'a\n'.repeat(10_001) })).toThrow(/10000 lines/)
})
