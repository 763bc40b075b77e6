import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { compareAnswers, tolerance } from './agreement.ts'

/** Whether two answers to one call agree, and how far they are apart. */
export function AgreementView({
  left,
  right,
}: {
  readonly left: unknown
  readonly right: unknown
}): JSX.Element {
  const { agrees, numbers, largest, differs } = useMemo(() => compareAnswers(left, right), [left, right])
  return (
    <p class={agrees ? 'agreement agrees' : 'agreement differs'}>
      <strong>{agrees ? 'The answers agree' : 'The answers differ'}</strong>
      {differs === null ? null : (
        <>
          {' '}
          at <code>{differs.path || 'the top'}</code>: {differs.reason}
        </>
      )}
      {largest === null ? (
        ', compared exactly.'
      ) : (
        <>
          . Largest difference of {numbers} numbers: {Number(largest.difference.toPrecision(3))} at{' '}
          <code>{largest.path || 'the top'}</code> (tolerance {tolerance}).
        </>
      )}
    </p>
  )
}
