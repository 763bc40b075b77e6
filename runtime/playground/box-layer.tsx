import type { JSX } from 'preact'
import type { Corner, MarkedBox } from './overlay.ts'

/** What lies over a picture. */
export interface BoxLayerProps {
  readonly width: number
  readonly height: number
  readonly boxes: readonly MarkedBox[]
}

/** The parts of a picture that an answer tells of, each with its text along its upper side. */
export function BoxLayer({ width, height, boxes }: BoxLayerProps): JSX.Element {
  return (
    <svg class="boxes" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${boxes.length} boxes`}>
      {boxes.map(({ corners, text }, index) => (
        <g key={index}>
          <title>{text}</title>
          <polygon points={corners.map((corner) => corner.join(',')).join(' ')} />
          {text === '' ? null : <BoxText corners={corners} text={text} />}
        </g>
      ))}
    </svg>
  )
}

function BoxText({ corners, text }: MarkedBox): JSX.Element {
  const [[x, y], [toX, toY], , [downX, downY]] = corners as readonly [Corner, Corner, Corner, Corner]
  const degrees = (Math.atan2(toY - y, toX - x) * 180) / Math.PI
  const size = 0.5 * Math.hypot(downX - x, downY - y)
  return (
    <text font-size={size} transform={`translate(${x} ${y}) rotate(${degrees}) translate(0 ${-size / 4})`}>
      {text}
    </text>
  )
}
