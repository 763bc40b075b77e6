import type { Exemptions } from './mirror.ts'

/** Files of jobs whose test has another name. */
export const jobExemptions: Exemptions = {
  'runtime/entry/job-settings.ts': {
    provenBy: 'test/entry/job-host.test.ts',
    reason: 'A part of the jobs of a server: tested there with the thread that it is for.',
  },
  'runtime/entry/jobs.ts': {
    provenBy: 'test/entry/job-host.test.ts',
    reason: 'The entry of a thread: tested there as the jobs of a server start it, and in whole servers.',
  },
  'runtime/job/crew/action-order.ts': {
    provenBy: 'test/job/crew/crew.test.ts',
    reason: 'A part of the crew, which alone calls it: tested there on real processes.',
  },
  'runtime/job/crew/submitter.ts': {
    provenBy: 'test/job/crew/job-rights.test.ts',
    reason: 'One line of a seal: tested there by a credential of somebody else’s job.',
  },
}
