// Registrations as others write them, one of each shape: what stands in the node, and what is to be read from it.

import type { FormatName } from '../../src/config-schema/format-names.js';

export interface Sample {
  readonly what: string;
  readonly format: FormatName;
  /** Where it stands below a channel; absent: it is the channel's own data. */
  readonly name?: string;
  /** Objects are written as JSON. */
  readonly data: string | object;
  /** Each endpoint with what it says; fields that it does not say are absent. */
  readonly endpoints: readonly Expected[];
  /** Endpoints that say that they serve nobody now. */
  readonly ineligible?: number;
}

export interface Expected {
  readonly address: string;
  readonly load?: number;
  readonly bitrate?: number;
  readonly packetLoss?: number;
  readonly draining?: true;
  readonly weight?: number;
  readonly zone?: string;
  readonly priority?: number;
  readonly release?: string;
  readonly properties?: Readonly<Record<string, string>>;
}

const uriSpec = {
  parts: [
    { value: 'scheme', variable: true },
    { value: '://', variable: false },
    { value: 'address', variable: true },
    { value: ':', variable: false },
    { value: 'port', variable: true },
  ],
};

const instance = {
  name: 'live',
  id: '585ddd0b-7d30-4225-afda-758f05b75c8f',
  address: '10.0.0.1',
  port: 8080,
  sslPort: null,
  payload: null,
  registrationTimeUTC: 1698197224917,
  serviceType: 'DYNAMIC',
};
const zookeeperInstance = {
  '@class': 'org.springframework.cloud.zookeeper.discovery.ZookeeperInstance',
  id: 'application-1',
  name: 'live',
};
const member = {
  serviceEndpoint: { host: 'smf1-aag-06-sr1.prod.example.com', port: 31943 },
  additionalEndpoints: {},
  status: 'ALIVE',
  shard: 0,
};
const nerve = {
  host: '10.0.0.1',
  port: 3000,
  name: 'i-8f3a2c',
  weight: 10,
  labels: { region: 'us-east-1', az: 'us-east-1a' },
};
const encoded = Buffer.from(JSON.stringify(nerve)).toString('base64url');
const provider = (url: string) => encodeURIComponent(url);

/** Each in a channel of its own. */
export const samples: readonly Sample[] = [
  {
    what: 'ChannelInfo in a child',
    format: 'weir',
    name: 'endpoint-0000000001',
    data: { service_address: 'http://10.0.0.1:8080/live-stream', load: 0.75, bitrate: 1200, packet_loss_rate: 0.02 },
    endpoints: [{ address: 'http://10.0.0.1:8080/live-stream', load: 0.75, bitrate: 1200, packetLoss: 0.02 }],
  },
  {
    what: 'ChannelInfo in the channel itself',
    format: 'weir',
    data: {
      service_address: '10.0.0.1:8080',
      status: 'draining',
      weight: 0.1,
      zone: 'north',
      priority: 1,
      path: '/{channel}{rest}',
    },
    endpoints: [
      { address: 'http://10.0.0.1:8080/{channel}{rest}', draining: true, weight: 0.1, zone: 'north', priority: 1 },
    ],
  },
  {
    what: 'ChannelInfo that is off',
    format: 'weir',
    name: 'a',
    data: { service_address: '10.0.0.1:8080', status: 'off' },
    endpoints: [],
    ineligible: 1,
  },
  {
    what: 'Curator',
    format: 'curator',
    name: instance.id,
    data: { ...instance, payload: { load: 0.5, bitrate: 2400, packet_loss_rate: 0, zone: 'b' }, uriSpec },
    endpoints: [{ address: 'http://10.0.0.1:8080', load: 0.5, bitrate: 2400, packetLoss: 0, zone: 'b' }],
  },
  {
    what: 'Curator with a port for TLS and no URI',
    format: 'curator',
    name: instance.id,
    data: { ...instance, address: '2001:db8::1', sslPort: 8443, uriSpec: null, enabled: true },
    endpoints: [{ address: 'https://[2001:db8::1]:8443' }],
  },
  {
    what: 'Curator that is disabled',
    format: 'curator',
    name: instance.id,
    data: { ...instance, uriSpec, enabled: false },
    endpoints: [],
    ineligible: 1,
  },
  {
    what: 'Curator with a URI of its own',
    format: 'curator',
    name: instance.id,
    data: {
      ...instance,
      sslPort: 8443,
      uriSpec: {
        parts: [
          { value: 'scheme', variable: true },
          { value: '://origin.example:', variable: false },
          { value: 'ssl-port', variable: true },
          { value: '/live/{channel}{rest}', variable: false },
        ],
      },
    },
    endpoints: [{ address: 'https://origin.example:8443/live/{channel}{rest}' }],
  },
  {
    what: 'Spring Cloud',
    format: 'spring-cloud',
    name: instance.id,
    data: { ...instance, payload: { ...zookeeperInstance, metadata: {} }, uriSpec },
    endpoints: [{ address: 'http://10.0.0.1:8080' }],
  },
  {
    what: 'Spring Cloud with metadata, which are texts',
    format: 'spring-cloud',
    name: instance.id,
    data: {
      ...instance,
      payload: {
        ...zookeeperInstance,
        metadata: { instance_status: 'UP', zone: 'a', weight: '2', load: '0.25', version: '1.4', team: 'video' },
      },
      uriSpec,
    },
    endpoints: [
      {
        address: 'http://10.0.0.1:8080',
        load: 0.25,
        zone: 'a',
        weight: 2,
        release: '1.4',
        properties: { team: 'video' },
      },
    ],
  },
  {
    what: 'Spring Cloud out of service',
    format: 'spring-cloud',
    name: instance.id,
    data: { ...instance, payload: { ...zookeeperInstance, metadata: { instance_status: 'OUT_OF_SERVICE' } }, uriSpec },
    endpoints: [],
    ineligible: 1,
  },
  {
    what: 'a member of a ServerSet',
    format: 'serverset',
    name: 'member_0000000001',
    data: { ...member, metadata: { build: '7', zone: 'smf1' } },
    endpoints: [{ address: 'smf1-aag-06-sr1.prod.example.com:31943', zone: 'smf1', properties: { build: '7' } }],
  },
  {
    what: 'a member of a ServerSet that names its port for HTTP',
    format: 'serverset',
    name: 'member_0000000002',
    data: {
      ...member,
      additionalEndpoints: { aurora: { host: 'h', port: 1 }, http: { host: '10.0.0.2', port: 31944 } },
    },
    endpoints: [{ address: '10.0.0.2:31944' }],
  },
  {
    what: 'a member of a ServerSet that starts',
    format: 'serverset',
    name: 'member_0000000003',
    data: { ...member, status: 'STARTING' },
    endpoints: [],
    ineligible: 1,
  },
  {
    what: 'Nerve',
    format: 'nerve',
    name: 'i-8f3a2c_0000000001',
    data: nerve,
    endpoints: [
      {
        address: '10.0.0.1:3000',
        weight: 10,
        zone: 'us-east-1a',
        properties: { region: 'us-east-1', az: 'us-east-1a' },
      },
    ],
  },
  {
    what: 'Nerve with the data in the name',
    format: 'nerve',
    name: `base64_${encoded.length}_${encoded}_0000000001`,
    data: '',
    endpoints: [
      {
        address: '10.0.0.1:3000',
        weight: 10,
        zone: 'us-east-1a',
        properties: { region: 'us-east-1', az: 'us-east-1a' },
      },
    ],
  },
  {
    what: 'Nerve that is a backup',
    format: 'nerve',
    name: 'i-9_0000000002',
    data: { host: 'origin.example', port: '80', name: 'i-9', haproxy_server_options: 'check backup' },
    endpoints: [{ address: 'origin.example:80', priority: 1 }],
  },
  {
    what: 'ip and port with a text for the port',
    format: 'metadata',
    name: 'origin0000000003',
    data: { ip: '10.0.0.1', port: '8080', id: 'a' },
    endpoints: [{ address: '10.0.0.1:8080' }],
  },
  {
    what: 'ip and port with a version and properties',
    format: 'metadata',
    name: 'origin0000000004',
    data: { ip: '10.0.0.1', port: 8443, tls: true, version: '2.0', properties: { codec: 'h264' } },
    endpoints: [{ address: 'https://10.0.0.1:8443', release: '2.0', properties: { codec: 'h264' } }],
  },
  {
    what: 'APISIX',
    format: 'apisix',
    data: [
      { host: '127.0.0.1', port: 1980, weight: 100 },
      { host: '127.0.0.2', port: 1980, weight: 50, priority: -1, metadata: { a: 'b' } },
    ],
    endpoints: [
      { address: '127.0.0.1:1980', weight: 100 },
      { address: '127.0.0.2:1980', weight: 50, priority: 1, properties: { a: 'b' } },
    ],
  },
  {
    what: 'APISIX with the port in the host',
    format: 'apisix',
    data: [{ host: '127.0.0.1:1980', weight: 100 }],
    endpoints: [{ address: '127.0.0.1:1980', weight: 100 }],
  },
  {
    what: 'an address as text',
    format: 'plain',
    name: 'a',
    data: 'http://10.0.0.1:8080/x',
    endpoints: [{ address: 'http://10.0.0.1:8080/x' }],
  },
  {
    what: 'IPv6 as text',
    format: 'plain',
    name: 'a',
    data: '[2001:db8::1]:8080',
    endpoints: [{ address: '[2001:db8::1]:8080' }],
  },
  {
    what: 'a method that is its own node',
    format: 'plain',
    data: '127.0.0.1:6000',
    endpoints: [{ address: '127.0.0.1:6000' }],
  },
  {
    what: 'a provider of Dubbo',
    format: 'dubbo',
    name: provider(
      'dubbo://10.0.0.1:20880/com.x.Live?anyhost=true&application=live&dubbo=2.0.2&interface=com.x.Live&methods=play,stop&side=provider&timestamp=1698197224917&version=1.0.0&weight=200',
    ),
    data: '',
    endpoints: [
      {
        address: '10.0.0.1:20880',
        weight: 2,
        release: '1.0.0',
        properties: { protocol: 'dubbo', application: 'live', interface: 'com.x.Live', side: 'provider' },
      },
    ],
  },
  {
    what: 'a provider of Dubbo that names its port for HTTP, whose node holds an address as clients write it by default',
    format: 'dubbo',
    name: provider('dubbo://10.0.0.1:20880/com.x.Live?http.port=8080'),
    data: '10.0.0.1',
    endpoints: [{ address: '10.0.0.1:8080', properties: { protocol: 'dubbo' } }],
  },
  {
    what: 'a provider of Dubbo that is disabled',
    format: 'dubbo',
    name: provider('rest://[2001:db8::1]:8080/live?disabled=true'),
    data: '',
    endpoints: [],
    ineligible: 1,
  },
  { what: 'a name', format: 'name', name: '10.0.0.1:8080', data: '', endpoints: [{ address: '10.0.0.1:8080' }] },
];

export const textOf = ({ data }: Sample): string => (typeof data === 'string' ? data : JSON.stringify(data));
