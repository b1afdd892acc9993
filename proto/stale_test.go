package proto

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// TestGeneratedCodeIsCurrent generates anew with the plugins that make uses and compares. The
// definitions are read by the library that buf reads them with: building buf takes minutes.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	request := compile(t)
	fresh := make(map[string]string)
	for _, plugin := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		for _, f := range generate(t, plugin, request).File {
			fresh[f.GetName()] = f.GetContent()
		}
	}
	if len(fresh) == 0 {
		t.Fatal("the plugins wrote no Go file")
	}
	paths, err := filepath.Glob("migrated/v1/*.pb.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		have, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, ok := fresh[path]
		if !ok {
			t.Errorf("%s is generated from nothing any more: delete it", path)
		} else if diff := cmp.Diff(want, string(have)); diff != "" {
			t.Errorf("%s is stale: run make proto (-want +have)\n%s", path, diff)
		}
		delete(fresh, path)
	}
	for path := range fresh {
		t.Errorf("%s is missing: run make proto", path)
	}
}

// compile reads all definitions, as a plugin wants them.
func compile(t *testing.T) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	paths, err := filepath.Glob("migrated/v1/*.proto")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no definitions found: %v", err)
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(context.Background(), paths...)
	if err != nil {
		t.Fatal(err)
	}
	request := &pluginpb.CodeGeneratorRequest{
		FileToGenerate: paths,
		Parameter:      proto.String("paths=source_relative"),
	}
	seen := make(map[string]bool)
	for _, file := range files {
		request.ProtoFile = withImports(request.ProtoFile, seen, file)
	}
	return request
}

// withImports appends a file behind all that it imports.
func withImports(list []*descriptorpb.FileDescriptorProto, seen map[string]bool, file protoreflect.FileDescriptor) []*descriptorpb.FileDescriptorProto {
	if seen[file.Path()] {
		return list
	}
	seen[file.Path()] = true
	imports := file.Imports()
	for i := range imports.Len() {
		list = withImports(list, seen, imports.Get(i).FileDescriptor)
	}
	return append(list, protodesc.ToFileDescriptorProto(file))
}

// generate runs a plugin of those that go.mod pins.
func generate(t *testing.T, plugin string, request *pluginpb.CodeGeneratorRequest) *pluginpb.CodeGeneratorResponse {
	t.Helper()
	in, err := proto.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "tool", plugin)
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", plugin, err)
	}
	response := new(pluginpb.CodeGeneratorResponse)
	if err := proto.Unmarshal(out, response); err != nil {
		t.Fatalf("%s: %v", plugin, err)
	}
	if response.Error != nil {
		t.Fatalf("%s: %s", plugin, response.GetError())
	}
	return response
}
