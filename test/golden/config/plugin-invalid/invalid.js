export default { type: 'x' }
