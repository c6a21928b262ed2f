import { contract } from '@millrace/engine/testing'
import { transcode } from './transcode.js'

contract(transcode, {
  options: { renditions: { small: { height: 54, preset: 'ultrafast' }, native: {} } },
  live: { maxDelay: '2s', readTimeout: '20s', restartEvery: '1m' },
  // Until the encoder gives its first pictures: the native rendition, and what waits for the encoder.
  mostBytes: 12 * 2 ** 20,
  refused: [
    { renditions: ['native'] },
    { renditions: ['900p'] },
    { renditions: { 'A B': {} } },
    { renditions: { a: { extraArgs: ['out.ts'] } } },
    { renditions: { a: { preset: '-y' } } },
  ],
})
