import { contract } from '@millrace/engine/testing'
import output from './index.js'
import { MAX_PACED_BYTES } from '@millrace/media/mpegts'

contract(output, {
  // The discard port: nothing needs to listen.
  options: { address: '127.0.0.1:9' },
  // Of streams that wait for their time.
  mostBytes: MAX_PACED_BYTES,
  refused: [
    { address: '127.0.0.1:0' },
    { address: '127.0.0.1:9', packetSize: '1000B' },
    { address: '127.0.0.1:9', ttl: 4 },
    { address: '127.0.0.1:9', interface: 'lo' },
    { address: '[fe80::1]:9' },
    { address: '239.1.1.1:9', interface: 'eth99' },
  ],
})
