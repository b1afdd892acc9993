package node

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/node/images"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// abiVersion is of the contract between guest and host that this node keeps to.
const abiVersion = hostabi.Version

// run starts a program of an image in the store.
func (n *Node) run(spec *pb.RunSpec, files []vmm.File) (*VM, error) {
	if err := checkSpec(spec); err != nil {
		return nil, err
	}
	cfg, config, build, err := n.load(image.Digest(spec.Image), spec.Executables)
	if err != nil {
		return nil, err
	}
	memory := spec.Memory
	if memory == 0 {
		memory = n.live.Load().DefaultMemory
	}
	if rest := memory % hostabi.PageSize; rest != 0 {
		memory += hostabi.PageSize - rest
	}
	r := &reservation{image: spec.Image, imageName: cfg.Name, name: spec.Name, memory: memory, args: spec.Args, build: build}
	if err := n.reserveNew(r); err != nil {
		return nil, err
	}
	defer r.releaseName()
	vm := r.vm
	if !spec.Input {
		vm.input.CloseWrite()
	}
	guest, err := n.begin(r, config, func(s *vmproc.Spec) {
		s.Args = append([]string{cfg.Name}, spec.Args...)
		s.Env = spec.Env
		s.Files = files
	})
	if err != nil {
		r.grant.release()
		return nil, errors.Join(err, vm.log.Remove())
	}
	vm.mu.Lock()
	vm.guest, vm.grant = guest, r.grant
	vm.rec.Confinement = guest.Status().GetConfinement()
	vm.mu.Unlock()
	n.launched(vm)
	return vm, nil
}

// begin makes the guest of a reservation's VM, which runs at once.
func (n *Node) begin(r *reservation, config []byte, with func(*vmproc.Spec)) (vmproc.VM, error) {
	if err := r.vm.log.Begin(0, 0); err != nil {
		return nil, err
	}
	log, err := r.vm.log.File(0)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	return n.makeGuest(r.vm, config, r.build, r.memory, 0, func(s *vmproc.Spec) {
		s.Arm, s.Log = &pb.ProcessArm{Vm: r.vm.view(), Start: true}, log
		with(s)
	})
}

// A reservation is a VM that is to begin here, and what it holds until it does.
type reservation struct {
	image, imageName string
	name             string // empty: made up
	memory           uint64
	args             []string
	build            *image.Build

	vm          *VM
	grant       *grant
	releaseName func()
}

// reserveNew makes the record of a new VM, and claims name and memory for it.
func (n *Node) reserveNew(r *reservation) error {
	id := newID()
	if r.name == "" {
		r.name = madeUpName(r.imageName, id)
	}
	if err := CheckName(r.name); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	var err error
	if r.releaseName, err = n.claimName(r.name, id); err != nil {
		return err
	}
	if r.grant, err = n.budget.reserve(r.memory); err != nil {
		r.releaseName()
		return status.Errorf(codes.ResourceExhausted, "%s has no room: %v", n.cfg.Name, err)
	}
	r.vm, err = n.newVM(&pb.VM{
		Id:        id,
		Name:      r.name,
		Home:      n.cfg.Name,
		Node:      n.cfg.Name,
		State:     pb.VMState_VM_STATE_STARTING,
		Image:     r.image,
		ImageName: r.imageName,
		Isa:       r.build.Info.ISA,
		Level:     r.build.Info.Level,
		Memory:    r.memory,
		Args:      r.args,
		Created:   timestamppb.Now(),
		Stays:     []*pb.Stay{{Node: n.cfg.Name, LogEnd: -1}},
	})
	if err != nil {
		r.grant.release()
		r.releaseName()
	}
	return err
}

// launch lets a restored VM run and makes it known. left is where it was.
func (n *Node) launch(vm *VM, guest vmproc.VM, g *grant, left *pb.Left) error {
	vm.mu.Lock()
	vm.guest, vm.grant = guest, g
	vm.rec.Confinement = guest.Status().GetConfinement()
	vm.mu.Unlock()
	err := vm.log.Begin(0, 0)
	if err == nil {
		err = vm.arm(guest, &pb.ProcessArm{Vm: vm.view(), Left: left, Start: true})
	}
	if err != nil {
		vm.unhost()
		return errors.Join(fmt.Errorf("start the program: %w", err), vm.log.Remove())
	}
	n.launched(vm)
	return nil
}

// launched makes a new VM known that runs. Its record reaches the disk a moment later: its process
// has the record too, for the next daemon.
func (n *Node) launched(vm *VM) {
	n.mu.Lock()
	n.vms[vm.id] = vm
	n.mu.Unlock()
	vm.note(func(rec *pb.VM) { rec.State = pb.VMState_VM_STATE_RUNNING })
	vm.serve()
	n.happened(&pb.Event{Kind: pb.EventKind_EVENT_KIND_VM_STARTED, Vm: vm.id, VmName: vm.view().Name})
}

// arm gives a guest all that it needs to start, the log of its stay included.
func (vm *VM) arm(guest vmproc.VM, arm *pb.ProcessArm) error {
	f, err := vm.log.File(arm.Vm.Generation)
	if err != nil {
		return err
	}
	defer f.Close()
	return guest.Arm(arm, f)
}

// load finds an image and the build of it that this host runs. wanted are executables of it that
// have to be in the store, too: other nodes may need them.
func (n *Node) load(d image.Digest, wanted []string) (cfg *image.Config, blob []byte, build *image.Build, err error) {
	m, err := n.images.Get(d)
	if errors.Is(err, images.ErrUnknown) {
		return nil, nil, nil, status.Error(codes.NotFound, err.Error())
	}
	if err != nil {
		return nil, nil, nil, err
	}
	for _, exec := range wanted {
		has := func(b *image.Build) bool { return string(b.Info.Exec) == exec }
		if !slices.ContainsFunc(m.Builds(), has) {
			return nil, nil, nil, status.Errorf(codes.NotFound, "executable %s of image %s: %v", exec, d, images.ErrUnknown)
		}
	}
	info, err := n.choose(m.Config())
	if err != nil {
		return nil, nil, nil, err
	}
	build, err = n.images.Build(d, info)
	return m.Config(), m.ConfigBlob(), build, err
}

// choose picks the build of an image that this host runs, or says why there is none.
func (n *Node) choose(cfg *image.Config) (image.BuildInfo, error) {
	if cfg.ABI != abiVersion {
		return image.BuildInfo{}, status.Errorf(codes.FailedPrecondition,
			"the image is of ABI version %d, %s runs version %d: rebuild the image, or use a node of its version",
			cfg.ABI, n.cfg.Name, abiVersion)
	}
	info, err := n.cfg.Host.Select(cfg)
	if err != nil {
		return info, status.Error(codes.FailedPrecondition, err.Error())
	}
	return info, nil
}

// makeGuest makes the guest of a VM's stay; config is its image's blob.
func (n *Node) makeGuest(vm *VM, config []byte, build *image.Build, memory uint64, generation uint32, with func(*vmproc.Spec)) (vmproc.VM, error) {
	s := vmproc.Spec{ID: vm.id, Generation: generation, Image: config, Build: build, Memory: memory}
	with(&s)
	guest, err := n.cfg.VMs.Make(n.ctx, &s, vm.hooks(generation))
	if errors.Is(err, vmm.ErrNoKVM) {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	if err != nil {
		return nil, fmt.Errorf("make a VM: %w", err)
	}
	return guest, nil
}

// checkSpec refuses what could not be handed to a guest.
func checkSpec(spec *pb.RunSpec) error {
	for _, e := range spec.Env {
		if k, _, ok := strings.Cut(e, "="); !ok || k == "" {
			return status.Errorf(codes.InvalidArgument, "environment variable %q: want KEY=VALUE", e)
		}
	}
	for _, s := range append(append([]string(nil), spec.Env...), spec.Args...) {
		if strings.ContainsRune(s, 0) {
			return status.Error(codes.InvalidArgument, "arguments and environment must not contain a zero byte")
		}
	}
	return nil
}

func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// madeUpName is for a VM that was given none: its image's name and some of its id.
func madeUpName(imageName, id string) string {
	clean := strings.Map(func(r rune) rune {
		if CheckName("x"+string(r)) == nil {
			return r
		}
		return -1
	}, strings.TrimSuffix(imageName, ".img"))
	clean = strings.TrimLeft(clean, "_.-") // a name begins with none of them
	if clean == "" {
		clean = "vm"
	}
	return fmt.Sprintf("%.40s-%s", clean, id[:6])
}
