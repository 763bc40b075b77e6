import type { Exemptions } from './mirror.ts'

const reason = 'A part of the job store, which alone calls it: tested there on SQLite and PostgreSQL.'

/** Files of the job store that are tested through its methods. */
export const jobStoreExemptions: Exemptions = {
  'runtime/job/store/content-table.ts': { provenBy: 'test/job/store/job-contents.test.ts', reason },
  'runtime/job/store/job-change.ts': { provenBy: 'test/job/store/leases.test.ts', reason },
  'runtime/job/store/job-row.ts': { provenBy: 'test/job/store/job-view.test.ts', reason },
  'runtime/job/store/job-schema.ts': { provenBy: 'test/job/store/job-database.test.ts', reason },
  'runtime/job/store/memory-table.ts': { provenBy: 'test/job/store/step-table.test.ts', reason },
  'runtime/job/store/record-limit.ts': { provenBy: 'test/job/store/step-table.test.ts', reason },
}
