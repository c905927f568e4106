// routes is the lab's network plugin, beside Debian's CNI plugins: it tells containerd the node's own pod addresses, and leads
// those of every other node through VXLAN on UDP 4789, the port that the product opens between nodes.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
)

const (
	device  = "vxlan.lab"
	vni     = 4096
	port    = 4789
	secrets = "/var/run/secrets/kubernetes.io/serviceaccount"
	// Fifty bytes less than Ethernet's 1500, for what VXLAN puts around a packet.
	mtu = 1450
)

type node struct {
	name    string
	address net.IP
	pods    *net.IPNet
}

// hardware is a node's address on the overlay: derived from its own, so that nobody has to publish it.
func (n node) hardware() net.HardwareAddr {
	return append(net.HardwareAddr{0x02, 0x4c}, n.address.To4()...)
}

func main() {
	if err := install("/cni", "/host/opt/cni/bin"); err != nil {
		log.Fatalf("the plugins cannot be installed: %v", err)
	}
	name := os.Getenv("NODE_NAME")
	for ; ; time.Sleep(time.Second) {
		if err := follow(name); err != nil {
			log.Print(err)
		}
	}
}

// install copies every plugin; a plugin that runs meanwhile keeps its old file.
func install(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(from, entry.Name()))
		if err != nil {
			return err
		}
		if err := replace(filepath.Join(to, entry.Name()), content, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func replace(file string, content []byte, mode os.FileMode) error {
	if err := os.WriteFile(file+".new", content, mode); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// follow makes the node's routes what the API's nodes are.
func follow(name string) error {
	nodes, err := readNodes()
	if err != nil {
		return err
	}
	index := slices.IndexFunc(nodes, func(n node) bool { return n.name == name })
	if index == -1 {
		return fmt.Errorf("the API gives the node %s no pod addresses yet", name)
	}
	link, err := overlay(nodes[index])
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, other := range nodes {
		if other.name == name {
			continue
		}
		wanted[other.pods.String()] = true
		if err := lead(link, other); err != nil {
			return fmt.Errorf("no route to %s: %w", other.name, err)
		}
	}
	if err := forget(link, wanted); err != nil {
		return err
	}
	// Last: with this file the node becomes Ready.
	return configure(nodes[index].pods)
}

func readNodes() ([]node, error) {
	authority, err := os.ReadFile(secrets + "/ca.crt")
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(secrets + "/token")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	url := "https://" + net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")) + "/api/v1/nodes"
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the API answers %s", response.Status)
	}
	return parseNodes(response.Body)
}

func parseNodes(body io.Reader) ([]node, error) {
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Spec     struct{ PodCIDR string }
			Status   struct {
				Addresses []struct{ Type, Address string }
			}
		}
	}
	if err := json.NewDecoder(body).Decode(&list); err != nil {
		return nil, err
	}
	var nodes []node
	for _, item := range list.Items {
		_, pods, err := net.ParseCIDR(item.Spec.PodCIDR)
		if err != nil {
			continue
		}
		for _, address := range item.Status.Addresses {
			if ip := net.ParseIP(address.Address).To4(); address.Type == "InternalIP" && ip != nil {
				nodes = append(nodes, node{item.Metadata.Name, ip, pods})
			}
		}
	}
	return nodes, nil
}

func overlay(own node) (netlink.Link, error) {
	if link, err := netlink.LinkByName(device); err == nil {
		return link, nil
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name, attributes.MTU, attributes.HardwareAddr = device, mtu, own.hardware()
	link := &netlink.Vxlan{LinkAttrs: attributes, VxlanId: vni, Port: port, SrcAddr: own.address, Learning: false}
	if err := netlink.LinkAdd(link); err != nil {
		return nil, fmt.Errorf("no VXLAN device: %w", err)
	}
	gateway := &netlink.Addr{IPNet: &net.IPNet{IP: own.pods.IP, Mask: net.CIDRMask(32, 32)}}
	if err := netlink.AddrAdd(link, gateway); err != nil {
		return nil, err
	}
	return link, netlink.LinkSetUp(link)
}

// lead sends a node's pods through the overlay: the route, the neighbour behind it, and where that one is.
func lead(link netlink.Link, other node) error {
	index := link.Attrs().Index
	neighbour := &netlink.Neigh{LinkIndex: index, State: netlink.NUD_PERMANENT, IP: other.pods.IP, HardwareAddr: other.hardware()}
	if err := netlink.NeighSet(neighbour); err != nil {
		return err
	}
	forwarding := &netlink.Neigh{
		LinkIndex: index, State: netlink.NUD_PERMANENT, Family: syscallBridge, Flags: netlink.NTF_SELF,
		IP: other.address, HardwareAddr: other.hardware(),
	}
	if err := netlink.NeighSet(forwarding); err != nil {
		return err
	}
	route := &netlink.Route{LinkIndex: index, Dst: other.pods, Gw: other.pods.IP, Flags: int(netlink.FLAG_ONLINK)}
	return netlink.RouteReplace(route)
}

// syscallBridge is AF_BRIDGE.
const syscallBridge = 7

// forget removes the routes of nodes that are gone.
func forget(link netlink.Link, wanted map[string]bool) error {
	routes, err := netlink.RouteList(link, netlink.FAMILY_V4)
	if err != nil {
		return err
	}
	for _, route := range routes {
		if route.Gw != nil && route.Dst != nil && !wanted[route.Dst.String()] {
			if err := netlink.RouteDel(&route); err != nil {
				return err
			}
		}
	}
	return nil
}

func configure(pods *net.IPNet) error {
	file := "/host/etc/cni/net.d/10-lab.conflist"
	plugins := []map[string]any{
		{
			"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true, "mtu": mtu,
			"ipam": map[string]any{
				"type":   "host-local",
				"ranges": [][]map[string]string{{{"subnet": pods.String()}}},
				"routes": []map[string]string{{"dst": "0.0.0.0/0"}},
			},
		},
		{"type": "portmap", "capabilities": map[string]bool{"portMappings": true}},
	}
	content, err := json.Marshal(map[string]any{"cniVersion": "1.0.0", "name": "lab", "plugins": plugins})
	if err != nil {
		return err
	}
	if present, err := os.ReadFile(file); err == nil && string(present) == string(content) {
		return nil
	}
	return replace(file, content, 0o600)
}
