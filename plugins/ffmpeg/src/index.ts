// Nodes that run FFmpeg.
import { ffmpegInput } from './input/ffmpeg-input.js'
import { snapshotOutput } from './snapshot/snapshot-output.js'
import { transcode } from './transcode/transcode.js'

export default [ffmpegInput, transcode, snapshotOutput]
