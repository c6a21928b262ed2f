// The status as JSON, made a few pipelines at a time: streams and viewers get their turn in between, however many copies
// of pattern pipelines there are. Each pipeline is as it was at one moment, within a few milliseconds of the others.
import { TimeSlice } from '../config/source/time-slice.js'
import type { OperatedSource } from '../observe/operator.js'

/** `isSummary`: without the copies of pattern pipelines. */
export async function renderStatus(
  source: Pick<OperatedSource, 'statusBeside' | 'pipelines'>,
  isSummary: boolean,
): Promise<string> {
  const slice = new TimeSlice()
  const beside = JSON.stringify(source.statusBeside())
  const pipelines: string[] = []
  for (const pipeline of source.pipelines(isSummary)) {
    pipelines.push(JSON.stringify(pipeline.status()))
    await slice.yieldIfUsed()
  }
  return `${beside.slice(0, -1)},"pipelines":[${pipelines.join(',')}]}`
}
