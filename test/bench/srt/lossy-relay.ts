// A process that relays to a port of this machine and loses datagrams; prints its own port. Its parent ends it.
//   node lossy-relay.js PORT SHARE_LOST DELAY_MS SEED
import process from 'node:process'
import { LossyRelay } from '../../e2e/kit/lossy-relay.js'

const [port = 0, loss = 0, delayMs = 0, seed = 1] = process.argv.slice(2).map(Number)
const relay = await LossyRelay.open(port, { loss, delayMs, seed })
process.stdout.write(`${relay.port}\n`)
process.stdin.on('end', () => process.exit(0)).resume()
