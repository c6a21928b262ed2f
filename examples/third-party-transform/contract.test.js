// `node --test`: what every node has to keep, and nothing of this one's own.
import { contract } from '@millrace/engine/testing'
import packetCount from './index.js'

contract(packetCount, { options: { weight: 2 }, live: { weight: 3 }, refused: [{ weight: 0 }] })
