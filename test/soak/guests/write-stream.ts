// The program of an `exec` input: writes a clip to stdout, for ever, at the speed of the clip. Arguments: the clip, and a
// word that edits change.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { PacedStream } from './paced-stream.js'

const [, , path = ''] = process.argv
// Another clock for each start, as an encoder that has been restarted has.
const start90k = (Date.now() % 10_000_000) * 90
process.stdout.on('error', () => process.exit(1))
void new PacedStream(readFileSync(path), start90k, (packets) => process.stdout.write(packets))
