import { addConstantModel } from '../support/onnx-models.ts'

/** A plugin of two functions with an action that deploys it; `version` is what its functions answer. */
export function deployedPlugin(version: string): Readonly<Record<string, string | Uint8Array>> {
  return {
    'config.yaml': 'code: detector\nversion: "1.0.0"\n',
    'functions/_models/five/note.txt': '5',
    // What makes a model of the folder.
    'functions/_models/five/model.onnx': addConstantModel(5),
    'functions/version.ts': `import { defineFunction } from 'isoplex'
export default defineFunction({ method: 'POST', access: 'public', handler: () => ({ version: '${version}' }) })`,
    'functions/detect.ts': `import { readFile } from 'node:fs/promises'
import { Type } from '@sinclair/typebox'
import { defineInference, multiplexed } from 'isoplex'
export default defineInference({
  input: Type.Object({ x: Type.Number() }),
  output: Type.Object({ y: Type.Number(), version: Type.String() }),
  model: multiplexed(async ({ path }) => Number(await readFile(path + '/note.txt', 'utf8'))),
  infer: ({ x }, { model }) => ({ y: x * model, version: '${version}' }),
})`,
    'functions/deploy.ts': `import { defineDeployment } from 'isoplex'
import detect from './detect.ts'
export default defineDeployment({ entrypoint: detect })`,
    'functions/deploy-in-vain.ts': `import { defineDeployment, defineDeploymentStep } from 'isoplex'
import detect from './detect.ts'
export default defineDeployment({
  entrypoint: detect,
  serveAppName: 'vain@1.0.0',
  routePrefix: '/vain',
  steps: [
    defineDeploymentStep({
      name: 'deploy',
      execute: async ({ deploy }) => void (await deploy()),
      rollback: ({ undeploy }) => undeploy(),
    }),
    defineDeploymentStep({
      name: 'judge',
      execute: () => {
        throw new Error('It is not good enough.')
      },
    }),
  ],
})`,
  }
}
