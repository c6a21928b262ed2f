import { contract } from '@millrace/engine/testing'
import session from './index.js'

contract(session, {
  options: { listener: 'web', streams: { one: 'token-of-one' } },
  live: {
    path: '/other',
    streams: { two: 'token-of-two' },
    cors: ['https://tv.example'],
    passphrases: { two: 'one-of-ten-characters' },
  },
})
