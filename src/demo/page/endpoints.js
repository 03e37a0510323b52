// The table of a channel's endpoints, as the edge sees them now.

const $ = (id) => document.getElementById(id);
const percent = (fraction, digits) => (fraction === undefined ? 'unknown' : `${(fraction * 100).toFixed(digits)} %`);

function element(tag, text, ...children) {
  const made = document.createElement(tag);
  if (text !== '') made.textContent = text;
  made.append(...children);
  return made;
}

function cell(text, small, ...more) {
  return element('td', text, ...more, ...(small === '' ? [] : [element('small', small)]));
}

function loadMeter(load) {
  const meter = document.createElement('meter');
  meter.value = load ?? 0;
  meter.low = 0.5;
  meter.high = 0.75;
  meter.optimum = 0;
  return meter;
}

function stateOf(row, isPicked, isDown) {
  if (isDown) return 'down';
  if (isPicked) return 'picked';
  if (row.eligible) return 'eligible';
  const left = row.ejected_for_seconds > 0 ? ` for ${Math.ceil(row.ejected_for_seconds)} s` : '';
  return `${(row.reason ?? 'not eligible').replaceAll('_', ' ')}${left}`;
}

function rowOf(row, picked, names, down) {
  const { id, service_address: address, load, packet_loss_rate: packetLoss } = row;
  // What was killed a moment ago is still registered; the demo knows better.
  const isDown = down.has(address);
  const isPicked = id === picked && !isDown;
  const made = element(
    'tr',
    '',
    cell(names.get(address) ?? id, address),
    cell(percent(load, 0), '', loadMeter(load)),
    cell(percent(packetLoss, 1), ''),
    cell(row.terms.score.toFixed(2), ''),
    cell(stateOf(row, isPicked, isDown), `${row.in_flight} in flight`),
  );
  made.className = isPicked ? 'picked' : '';
  return made;
}

async function read(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(3000) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.message ?? body.error ?? `HTTP ${answer.status}`);
  return body;
}

/** Reads and shows the picture of one channel. Never throws: what goes wrong is shown. */
export async function showEndpoints(channel) {
  try {
    const [snapshot, explained, { origins }] = await Promise.all([
      read('api/snapshot'),
      read(`api/explain/${channel}`),
      read('settings.json'),
    ]);
    const names = new Map(origins.map(({ name, address }) => [address, name]));
    $('registry').className = '';
    $('registry').textContent =
      `Registry ${snapshot.state}, revision ${snapshot.revision}; policy ${explained.policy}${explained.panic ? '; passive health ignored' : ''}`;
    const down = new Set(origins.filter(({ registered }) => registered === false).map(({ address }) => address));
    const isDown = explained.endpoints.some((row) => row.id === explained.picked && down.has(row.service_address));
    $('why').textContent = isDown ? 'The pick is down: the next request goes to another.' : (explained.why ?? '');
    const nameOf = ({ service_address: address }) => names.get(address) ?? address;
    const sorted = explained.endpoints.toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
    $('endpoints').replaceChildren(...sorted.map((row) => rowOf(row, explained.picked, names, down)));
  } catch (error) {
    $('registry').className = 'error';
    $('registry').textContent = `No picture of the endpoints: ${error.message}`;
    $('endpoints').replaceChildren();
  }
}
