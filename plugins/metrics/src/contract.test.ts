import { contract } from '@millrace/engine/testing'
import metrics from './index.js'

contract(metrics, { options: { listener: 'api', path: '/metrics' }, refused: [{ path: 'metrics' }] })
