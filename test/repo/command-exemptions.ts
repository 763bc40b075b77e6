import type { Exemptions } from './mirror.ts'

/** Files of the command whose test has another name. */
export const commandExemptions: Exemptions = {
  'runtime/cli/deploy-bars.ts': {
    provenBy: 'test/e2e/ray-serve.test.ts',
    reason: 'What is shown while a deployment goes on: its lines are read there off the real command.',
  },
  'runtime/cli/ray-job.ts': {
    provenBy: 'test/e2e/ray-jobs.test.ts',
    reason: 'What a cluster runs of a job: proven on a real cluster, by the real command.',
  },
  'runtime/cli/ray-job-handle.ts': {
    provenBy: 'test/e2e/ray-jobs.test.ts',
    reason: 'What a job on a cluster has told: proven on a real cluster, by the real command.',
  },
  'runtime/cli/run-on-ray.ts': {
    provenBy: 'test/e2e/ray-jobs.test.ts',
    reason: 'The submission of a job to a cluster: proven on a real cluster, by the real command.',
  },
  'runtime/entry/action-extension.ts': {
    provenBy: 'test/e2e/ray-deployment.test.ts',
    reason: 'What ties deployment actions to their cluster: proven on a real one.',
  },
  'runtime/entry/deployment-bundle.ts': {
    provenBy: 'test/entry/deployment-desk.test.ts',
    reason: 'The build that the desk makes, which alone calls it: tested there on a real project.',
  },
  'runtime/entry/self-contained-build.ts': {
    provenBy: 'test/build/self-contained.test.ts',
    reason: 'The command around such builds: proven there over the real one, run from another folder.',
  },
  'runtime/cli/written-build.ts': {
    provenBy: 'test/e2e/build.test.ts',
    reason: 'What `isoplex build` writes: proven over the real command.',
  },
  'runtime/cli/residency-client.ts': {
    provenBy: 'test/e2e/residency.test.ts',
    reason: 'The questions of commands to a running server: proven over the real command.',
  },
  'runtime/cli/page-output.ts': {
    provenBy: 'test/e2e/build-pages.test.ts',
    reason: 'The part of a build that is for pages: proven over the real command.',
  },
  'runtime/cli/interruption.ts': {
    provenBy: 'test/cli/run-follow.test.ts',
    reason: 'Ctrl-C: tested there on running commands, once and twice.',
  },
  'runtime/cli/job-bars.ts': {
    provenBy: 'test/cli/run-follow.test.ts',
    reason: 'What a terminal shows while a job goes on: tested there on one.',
  },
  'runtime/cli/job-display.ts': {
    provenBy: 'test/cli/run-follow.test.ts',
    reason: 'What is shown of a job, and to whom: tested there with the real command.',
  },
  'runtime/cli/run-call.ts': {
    provenBy: 'test/cli/run.test.ts',
    reason: 'A part of running functions: tested there with the real command.',
  },
  'runtime/cli/run-locally.ts': {
    provenBy: 'test/cli/run.test.ts',
    reason: 'A part of running functions: tested there with the real command.',
  },
  'runtime/cli/run-output.ts': {
    provenBy: 'test/cli/run.test.ts',
    reason: 'How results are written: tested there with the real command.',
  },
  'runtime/cli/run-token.ts': {
    provenBy: 'test/cli/run-elsewhere.test.ts',
    reason: 'The tokens of a run: tested there with the real command and a server that asks for them.',
  },
  'runtime/cli/running-server.ts': {
    provenBy: 'test/cli/ps.test.ts',
    reason: 'The server that commands ask: tested there with and without one.',
  },
  'runtime/cli/progress-bar.ts': {
    provenBy: 'test/cli/models.test.ts',
    reason: 'What a terminal shows while a model is added: tested there on one.',
  },
}
