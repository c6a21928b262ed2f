import { contract } from '@millrace/engine/testing'
import validate from './index.js'

contract(validate, { live: { nullPackets: 'drop' }, refused: [{ program: 0 }, { pids: { include: [] } }] })
contract(validate, { options: { program: 1, nullPackets: 'drop' }, live: { transportErrors: 'drop' } })
