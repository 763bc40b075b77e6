import type { Exemptions } from './mirror.ts'

/** Files of replicas whose test has another name. */
export const replicaExemptions: Exemptions = {
  'runtime/replica/own-group.ts': {
    provenBy: 'test/replica/scheduler-groups.test.ts',
    reason: 'A part of groups of replicas: tested there with real replicas, each in its group.',
  },
  'runtime/replica/frame-sink.ts': {
    provenBy: 'test/replica/runner.test.ts',
    reason:
      'A frame for each kind of answer: tested there, and in test/runner, with what a gateway makes of them.',
  },
  'runtime/replica/trial-room.ts': {
    provenBy: 'test/replica/ward.test.ts',
    reason: 'A part of the ward, which alone makes rooms: tested there on real replicas, death by death.',
  },
  'runtime/replica/dispatcher.ts': {
    provenBy: 'test/replica/scheduler.test.ts',
    reason: 'A part of the scheduler: what it sends and when is tested there on real runners.',
  },
  'runtime/replica/residency-control.ts': {
    provenBy: 'test/e2e/residency.test.ts',
    reason: 'A contract, and a queue as a report shows it: proven over the real command.',
  },
}
