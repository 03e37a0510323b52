// Registers an instance with Curator's own service discovery, and keeps it until standard input ends.
// Arguments: the servers, the base path, the name of the service, host, port. Prints "registered".

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.UriSpec;
import org.apache.curator.x.discovery.details.JsonInstanceSerializer;

public class CuratorOrigin {
  @SuppressWarnings("rawtypes")
  public static void main(String[] args) throws Exception {
    CuratorFramework client = CuratorFrameworkFactory.newClient(args[0], new RetryOneTime(1000));
    client.start();
    ServiceDiscovery<Map> discovery = ServiceDiscoveryBuilder.builder(Map.class)
        .client(client)
        .basePath(args[1])
        .serializer(new JsonInstanceSerializer<>(Map.class, false))
        .build();
    discovery.start();
    Map<String, Object> payload = new LinkedHashMap<>();
    payload.put("load", 0.25);
    payload.put("bitrate", 2400);
    payload.put("zone", "north");
    discovery.registerService(ServiceInstance.<Map>builder()
        .name(args[2])
        .address(args[3])
        .port(Integer.parseInt(args[4]))
        .payload(payload)
        .uriSpec(new UriSpec("{scheme}://{address}:{port}"))
        .build());
    System.out.println("registered");
    while (System.in.read() >= 0) { }
    discovery.close();
    client.close();
  }
}
