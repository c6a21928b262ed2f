// What viewers over SRT cost the engine: processor time and memory with many viewers of one stream, who read, and who stop
// acknowledging. Prints figures; judges nothing. --viewers N, --mbit N, --seconds N.
import { parseArgs } from 'node:util'
import { measureViewers } from './srt/viewers.js'

const { values } = parseArgs({
  options: {
    viewers: { type: 'string', default: '60' },
    mbit: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '10' },
  },
})
const [viewers, mbit, seconds] = [Number(values.viewers), Number(values.mbit), Number(values.seconds)]

for (const latencyMs of [120, 8000]) {
  const figures = await measureViewers({ viewers, mbit, latencyMs, seconds })
  const { share, received, lost, skips, bytesPerViewer, silentBytesPerViewer } = figures
  console.log(`${viewers} viewers, ${mbit} Mb/s, latency ${latencyMs} ms`)
  console.log(`  ${(share * 100).toFixed(1)} % of a core, ${(received * 100).toFixed(1)} % of the rate received`)
  console.log(`  ${lost} packets lost, ${skips} skips`)
  console.log(
    `  memory per viewer: ${kib(bytesPerViewer)} KiB reading, at most ${kib(silentBytesPerViewer)} KiB silent`,
  )
}

function kib(bytes: number): string {
  return (bytes / 1024).toFixed(0)
}
