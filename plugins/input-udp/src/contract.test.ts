import { contract } from '@millrace/engine/testing'
import input from './index.js'

contract(input, {
  options: { address: '127.0.0.1:0' },
  refused: [
    { address: 'localhost:5000' },
    { address: '0.0.0.0:5000', interface: 'eth0' },
    { address: '232.1.1.1:5000', source: '::1' },
    { address: '232.1.1.1:5000', source: [] },
    { address: '[ff15::1]:5000', source: '10.0.0.1' },
    { address: '0.0.0.0:5000', reorder: { packets: 2000 } },
  ],
})
