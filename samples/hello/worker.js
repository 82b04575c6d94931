// The worker: does a little work every few seconds, and says so.
import ms from 'ms';

const { DYNO = 'worker.0', WORK_EVERY_MS = '5000' } = process.env;
const startedAt = Date.now();
let jobs = 0;

const timer = setInterval(() => {
  jobs += 1;
  console.log(`${DYNO} did job ${jobs}, up ${ms(Date.now() - startedAt)}`);
}, Number(WORK_EVERY_MS));
console.log(`${DYNO} is working`);

process.once('SIGTERM', () => {
  clearInterval(timer);
  console.log(`${DYNO} stops after ${jobs} jobs`);
});
