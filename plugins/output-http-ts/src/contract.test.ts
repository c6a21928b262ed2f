import { contract } from '@millrace/engine/testing'
import httpTs from './index.js'

const options = { listener: 'web', path: '/live.ts' }

contract(httpTs, {
  options,
  live: { path: '/other.ts' },
  refused: [
    { ...options, path: 'live.ts' },
    { ...options, preamble: '/no/such/file.ts' },
  ],
})
