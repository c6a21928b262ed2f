import type { Listeners, MetricsSource } from '@millrace/engine/plugin'
import { contract } from '@millrace/engine/testing'
import metrics from './index.js'

const listeners: Listeners = {
  http: (name) => ({ name, origins: [], mount: () => ({ [Symbol.dispose]: () => undefined }) }),
  of: () => {
    throw new Error('there is none')
  },
}
const source: MetricsSource = { contentType: 'text/plain', render: () => Promise.resolve('') }
const options = { listener: 'api', path: '/metrics' }

contract(metrics, { options, refused: [{ ...options, path: 'metrics' }], deps: () => ({ listeners, metrics: source }) })
