// SAMPO_DEVICE=webgpu npm test: an engine that cannot use a device falls back to the CPU, and the suites would pass there and say
// nothing of the device. So the run ends before the first suite when the device does not work.
module.exports = async function deviceCheck() {
  // Every server of a test, also one in a process of its own, holds what it sends against the contract.
  process.env.SAMPO_CHECK_ANSWERS = '1';
  const wanted = process.env.SAMPO_DEVICE;
  if (wanted === undefined || wanted === 'cpu') return;
  require('../../scripts/swcRegister.cjs');
  const { createEngineClient } = require('../../src/engine/engineClient.ts');
  const engine = await createEngineClient({ device: wanted });
  const { device } = await engine.status();
  await engine.close();
  if (wanted === 'auto' || device.used === wanted) return;
  const reason = device.tried.find((row) => row.device === wanted)?.reason ?? 'it was not tried';
  throw new Error(
    `SAMPO_DEVICE=${wanted}: this machine cannot use it (${reason}). Run the tests where there is one, or without SAMPO_DEVICE for the CPU`,
  );
};
