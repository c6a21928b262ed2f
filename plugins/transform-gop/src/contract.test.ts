import { contract } from '@millrace/engine/testing'
import gop from './index.js'

contract(gop, { options: { maxDuration: '5s' }, live: { maxDuration: '1s' }, refused: [{ maxDuration: '1ms' }] })
