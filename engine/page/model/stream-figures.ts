// What a stream is like, in a few short figures: both dashboards show the same.
import type { NodeDetails } from './node-details.js'

export type Figure = readonly [name: string, value: string]

/** The same in few cells. */
export function shortFigures(details: NodeDetails): string {
  const { avOffsetMs, pcrJitterMs } = details.timing
  const [share] = streamFigures(details).flatMap(([name, value]) => (name === 'Null' ? [value.replace(' ', '')] : []))
  return [
    ...(avOffsetMs === undefined ? [] : [`A/V ${avOffsetMs > 0 ? '+' : ''}${avOffsetMs}ms`]),
    ...(share === undefined ? [] : [`null ${share}`]),
    ...(pcrJitterMs === undefined ? [] : [`PCR j ${pcrJitterMs}ms`]),
  ].join('  ')
}

/** Those that are known: clock, sound against picture, share of null packets. */
export function streamFigures({ timing, streams }: NodeDetails): readonly Figure[] {
  const { pcrIntervalMs, pcrIntervalMaxMs, pcrJitterMs, avOffsetMs } = timing
  const all = streams.reduce((sum, { kbps }) => sum + kbps, 0)
  const nulls = streams.find(({ type }) => type === 'null')?.kbps ?? 0
  return [
    ...(pcrIntervalMs === undefined
      ? []
      : [['PCR interval', `${pcrIntervalMs} ms (max ${pcrIntervalMaxMs ?? pcrIntervalMs})`] as const]),
    ...(pcrJitterMs === undefined ? [] : [['PCR jitter', `${pcrJitterMs} ms`] as const]),
    ...(avOffsetMs === undefined ? [] : [['A/V', `${avOffsetMs > 0 ? '+' : ''}${avOffsetMs} ms`] as const]),
    ...(all === 0 ? [] : [['Null', `${((nulls * 100) / all).toFixed(1)} %`] as const]),
  ]
}
