export { marbles } from '../src/testing/marbles.js';
