// Run with `node --test`: the rules that every transform must follow, and no tests specific to this one.
import { contract } from '@millrace/engine/testing'
import packetCount from './index.js'

contract(packetCount, { options: { weight: 2 }, refused: [{ weight: 0 }] })
